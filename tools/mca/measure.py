"""The tiles of every backend in a build, with what the models say about them."""

import dataclasses
import pathlib

import disassembly
import model
import tiles


@dataclasses.dataclass
class Figure:
    """Cycles an iteration, and FMAs as a share of what the core's FMA pipes could do in that time."""

    cycles: float
    share: float
    # The share with the model's known error mended, where there is one; else the same.
    judged: float
    # FMAs a cycle at most, as the model has it.
    model_fmas: float


@dataclasses.dataclass
class Loop:
    tile: tiles.Tile
    # The one that its kernel spends its time in; the others are for what is left over.
    main: bool
    figures: dict
    loads: int
    stores: int

    def problems(self):
        """What an inner loop must not do."""
        found = [f"spilled: {instruction.text()}" for instruction in self.tile.spills]
        if self.stores:
            found.append(f"{self.stores} stores")
        if not self.tile.straight:
            found.append("a branch inside")
        return found


@dataclasses.dataclass
class Backend:
    name: str
    cores: tuple
    loops: list

    def kernels(self):
        """The loops of each kernel, by name."""
        found = {}
        for loop in self.loops:
            found.setdefault(loop.tile.kernel, []).append(loop)
        return found


def libraries(build):
    """Backends' names and libraries in a build directory."""
    paths = sorted(pathlib.Path(build).glob("arch/libfovea-*.a"))
    return [(path.stem.removeprefix("libfovea-"), path) for path in paths]


def tiles_of_library(path):
    """The tiles of each kernel, in the order of names."""
    found = {}
    for function in disassembly.functions(path):
        kernel = tiles.kernel_of(function)
        if kernel:
            found.setdefault(kernel, []).extend(tiles.tiles_of(function))
    return [found[kernel] for kernel in sorted(found) if found[kernel]]


def mended(core, tile):
    mend = core.mend(tile.width())
    return mend.change(tile.listing()) if mend else tile.listing()


def simulate(core, wanted):
    """The model's answers by listing; equal loops are simulated once."""
    listings = list(dict.fromkeys(tuple(listing) for listing in wanted))
    return dict(zip(listings, model.simulate(core, listings)))


def fma_rate(tile, described):
    return max(round(1 / about["RThroughput"], 2)
               for instruction, about in zip(tile.instructions, described) if tiles.FMA.match(instruction.mnemonic))


def count(tile, described, what):
    """Instructions of which the model says so."""
    return sum(
        about[what] and not tiles.PREFETCH.match(instruction.mnemonic)
        for instruction, about in zip(tile.instructions, described))


def measure(name, groups):
    cores = model.CORES.get(name, ())
    every = [tile for group in groups for tile in group]
    loops = [Loop(tile, tile.is_like(tiles.main_of(group)), {}, 0, 0) for group in groups for tile in group]
    for core in cores:
        answers = simulate(core, [tile.listing() for tile in every] + [mended(core, tile) for tile in every])
        for loop in loops:
            tile = loop.tile
            cycles, described = answers[tuple(tile.listing())]
            mended_cycles, _ = answers[tuple(mended(core, tile))]
            least = tile.fmas / core.fmas[tile.width()]
            loop.figures[core.name] = Figure(
                cycles, 100 * least / cycles, 100 * least / mended_cycles, fma_rate(tile, described))
            loop.loads = count(tile, described, "mayLoad")
            loop.stores = count(tile, described, "mayStore")
    return Backend(name, cores, loops)


def measure_builds(builds):
    """Every backend that has register tiles, in the order of the builds."""
    found = []
    for build in builds:
        for name, path in libraries(build):
            groups = tiles_of_library(path)
            if groups:
                found.append(measure(name, groups))
    return found
