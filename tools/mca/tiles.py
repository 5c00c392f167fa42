"""Register tiles: what the inner loop of one multiplies, and whether it leaves the registers alone."""

import dataclasses
import re

import loops

# Functions that hold register tiles: one tile each, or a run of them where the compiler puts the tiles into it. A kernel
# is a panel's scores, with or without exponential, or its values, for so many vectors. Functions whose tiles ask for lines
# ("asking" instead of "run") wait for memory: the models, which have none, cannot judge them.
TILE_FUNCTION = re.compile(r"(score|value)_tile_\d+_(\d+)_(\d+)|(score|value)s_(\d+)_(\d+|all)_run")

FMA = re.compile(r"(vfn?madd\d*ps|vdpbf16ps|fml[as]|bfdot|bfmmla)$")
ADD = re.compile(r"(vaddps|fadd)$")
REGISTER = re.compile(r"(?:%[xyz]mm|[vqds])(\d+)(?:\.(\w+?))?(?:\[(\d+)\])?$")
MOVE = re.compile(r"(vmov[au]p[sd]|v?movdq[au]\d*|mov|ldu?r|stu?r)$")
BROADCAST = re.compile(r"(v?p?broadcast\w+|ld1r|dup)$")
# The models take them for loads and stores.
PREFETCH = re.compile(r"prefetch\w*|prfu?m$")
SEVERAL_RESULTS = re.compile(r"(ldn?p|ld[1-4])$")

STACK = re.compile(r"%[er]sp\b|\bsp\b")
# A general register that was put aside in a vector register, for want of the former, comes back through an FMA port.
PUT_ASIDE = re.compile(r"v?mov[dq] %xmm\d+, %[er]|fmov [xw]\d+, [ds]\d+|umov ")
# In AT&T syntax the register that is written comes last, in Arm's first.
FRAME = {
    "x86_64": (re.compile(r"%[er]bp\b"), re.compile(r"(movq %rsp|leaq [^ ]*\(%rsp[^ ]*), %rbp")),
    "aarch64": (re.compile(r"\bx29\b"), re.compile(r"(mov|add) x29, sp")),
}


@dataclasses.dataclass
class Tile:
    """An innermost loop that multiplies and adds."""

    kernel: str
    function: str
    architecture: str
    instructions: list
    straight: bool
    # Elements x vectors, steps an iteration; None where the loop does not divide that way.
    shape: tuple | None
    accumulators: int
    fmas: int
    adds: int
    # Instructions that touch the stack, or stand for it.
    spills: list

    @property
    def offset(self):
        return self.instructions[0].address

    @property
    def kind(self):
        return self.kernel.split("_")[0]

    def is_like(self, other):
        """The same tile; a compiler may make several versions of a loop."""
        return all(getattr(self, name) == getattr(other, name) for name in ("shape", "fmas", "adds"))

    def width(self):
        """x, y or z by the size of x86 registers; q on Arm."""
        fma = next(i for i in self.instructions if FMA.match(i.mnemonic))
        return "q" if self.architecture == "aarch64" else fma.operands[-1].strip("%")[0]

    def listing(self):
        return [instruction.text() for instruction in self.instructions]

    def shape_text(self):
        if self.shape is None:
            return f"{self.accumulators} acc."
        height, vectors, _ = self.shape
        return f"{height} × {vectors}" + (" + sum" if self.adds else "")

    def steps_text(self):
        return str(self.shape[2]) if self.shape else ""


def kernel_of(function):
    """The kernel that a function belongs to, or None if it holds no tiles."""
    found = TILE_FUNCTION.match(function.name)
    if not found:
        return None
    stem, vectors, exp = filter(None, found.groups())
    return f"scores_{vectors}_{exp}" if stem == "score" else f"values_{vectors}"


def register(operand):
    """The number and the lane (a text, or None) of a vector register."""
    found = REGISTER.match(operand)
    return (found.group(1), found.group(3)) if found else None


def results(instruction, architecture):
    """The vector registers that an instruction writes, by number."""
    if not instruction.operands:
        return []
    if architecture == "x86_64":
        operands = instruction.operands[-1:]
    elif SEVERAL_RESULTS.match(instruction.mnemonic):
        operands = [o.strip("{ }") for o in ", ".join(instruction.operands[:-1]).split(",")]
    else:
        operands = [instruction.operands[0].strip("{ }")]
    found = [register(operand.split(" ")[0]) for operand in operands]
    return [number for number, _ in filter(None, found)]


def count_elements(instructions, architecture):
    """How many elements an iteration broadcasts."""
    elements = set()
    writer = {}
    # Twice, for what the first FMAs of an iteration read may come from the end of the one before.
    for last in (False, True):
        for i, instruction in enumerate(instructions):
            if last and FMA.match(instruction.mnemonic):
                for operand in instruction.operands:
                    number, lane = register(operand) or (None, None)
                    by = writer.get(number)
                    if "{1to" in operand:
                        elements.add(i)
                    elif lane is not None or (by is not None and BROADCAST.match(instructions[by].mnemonic)):
                        elements.add((number, by, lane))
            for number in results(instruction, architecture):
                writer[number] = i
    return len(elements)


def count_accumulators(instructions, architecture):
    """How many sums the FMAs of an iteration carry on, wherever moves take them in between."""
    carried = {}
    sums = set()
    for instruction in instructions:
        if FMA.match(instruction.mnemonic):
            (place,) = results(instruction, architecture)
            sums.add(carried.setdefault(place, place))
        elif MOVE.match(instruction.mnemonic) and len(instruction.operands) == 2:
            source, target = (register(operand) or (operand,) for operand in instruction.operands)
            if architecture == "aarch64":
                source, target = target, source
            carried[target[0]] = carried.get(source[0], source[0])
    return len(sums)


def shape_of(fmas, elements, accumulators):
    if not elements or fmas % elements:
        return None
    vectors = fmas // elements
    if accumulators % vectors or fmas % accumulators:
        return None
    return accumulators // vectors, vectors, fmas // accumulators


def spills_of(instructions, function):
    """The instructions of a loop that read or write the stack, or fetch what was put aside elsewhere. A frame
    pointer is a general register unless the function copies the stack pointer into it."""
    frame, copied = FRAME[function.architecture]
    framed = any(copied.match(instruction.text()) for instruction in function.instructions)

    def is_spill(instruction):
        return PUT_ASIDE.match(instruction.text()) or any(
            STACK.search(operand) or (framed and frame.search(operand)) for operand in instruction.operands)

    return [instruction for instruction in instructions if is_spill(instruction)]


def tiles_of(function):
    """The tiles of a function of a kernel."""
    found = []
    for instructions, straight in loops.innermost_loops(function.instructions):
        fmas = sum(bool(FMA.match(i.mnemonic)) for i in instructions)
        if not fmas:
            continue
        adds = sum(bool(ADD.match(i.mnemonic)) for i in instructions)
        elements = count_elements(instructions, function.architecture)
        accumulators = count_accumulators(instructions, function.architecture)
        found.append(
            Tile(
                kernel_of(function),
                function.name,
                function.architecture,
                instructions,
                straight,
                shape_of(fmas, elements, accumulators),
                accumulators,
                fmas,
                adds,
                spills_of(instructions, function),
            )
        )
    return found


def main_of(tiles):
    """The tile that a kernel spends its time in: the most FMAs, without the sum if there are two."""
    return max(tiles, key=lambda tile: (tile.fmas, -len(tile.instructions)))
