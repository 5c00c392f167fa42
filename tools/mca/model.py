"""Processor cores as llvm-mca models them: which are asked for a backend, what their FMA pipes are, where a model is known
to be wrong, and running it."""

import dataclasses
import json
import re
import subprocess

MCA = "llvm-mca-22"
# Cycles an iteration are taken between these two numbers of iterations, which leaves out the time to fill the core.
ITERATIONS = (100, 300)

LOAD_BROADCAST = re.compile(r"^vbroadcastss (.*\(.*\)), %zmm")


def plain_loads(line):
    return LOAD_BROADCAST.sub(r"vmovups \1, %zmm", line)


def half_width(line):
    return line.replace("%zmm", "%ymm").replace("{1to16}", "{1to8}")


@dataclasses.dataclass(frozen=True)
class Mend:
    """What a listing is changed into, line by line, where a model is known to be wrong about it; and why."""

    key: str
    change: object
    reason: str


PLAIN_LOADS = Mend(
    "zen4-broadcast",
    plain_loads,
    "LLVM's Zen 4 takes `vbroadcastss` from memory into a zmm register for three micro-operations, one of which occupies "
    "FMA pipe 1. The processor does it in the load unit, as it does a plain load and as the model itself has it for ymm "
    "registers: on a Zen 4 machine such tiles run at 98 to 99 % of the FMA peak. The second figure is that of the same "
    "loop with plain zmm loads in their place.",
)
HALF_WIDTH = Mend(
    "icelake-port-5",
    half_width,
    "LLVM's Ice Lake has 512-bit FMAs on port 0 only, as the client processors do; the servers have a second unit on port "
    "5, so the first figure cannot exceed 50 %. The second figure is that of the same loop with ymm registers, whose FMAs "
    "the model issues on two ports, all else being equal: micro-operations, loads, dependencies, addresses.",
)


@dataclasses.dataclass(frozen=True)
class Core:
    name: str
    architecture: str
    # FMA instructions a cycle by the width of their registers (x, y, z; q on Arm), of the processor and, where it
    # differs, of the model.
    fmas: dict
    model_fmas: dict = dataclasses.field(default_factory=dict)
    options: tuple = ()
    # By width of the registers.
    mends: dict = dataclasses.field(default_factory=dict)

    def mend(self, width):
        return self.mends.get(width)


# Intel: ports 0 and 1, of which 512-bit instructions make one, and port 5 for those.
SKYLAKE = Core("skylake-avx512", "x86_64", {"x": 2, "y": 2, "z": 2})
ICELAKE = Core("icelake-server", "x86_64", {"x": 2, "y": 2, "z": 2}, {"z": 1}, mends={"z": HALF_WIDTH})
SAPPHIRE_RAPIDS = Core("sapphirerapids", "x86_64", {"x": 2, "y": 2, "z": 2}, {"z": 1}, mends={"z": HALF_WIDTH})
# AMD: FP pipes 0 and 1, 256 bits wide; 512-bit instructions occupy one for two cycles.
ZEN3 = Core("znver3", "x86_64", {"x": 2, "y": 2})
ZEN4 = Core("znver4", "x86_64", {"x": 2, "y": 2, "z": 1}, mends={"z": PLAIN_LOADS})
# Arm: every vector pipe. The model of N1 dispatches three micro-operations a cycle; the processor dispatches up to eight.
NEOVERSE_N1 = Core("neoverse-n1", "aarch64", {"q": 2}, options=("-dispatch=8",))
NEOVERSE_V1 = Core("neoverse-v1", "aarch64", {"q": 4})
NEOVERSE_V2 = Core("neoverse-v2", "aarch64", {"q": 4})

# Whom a backend's tiles are written for.
CORES = {
    "avx2": (ZEN3, SKYLAKE, ICELAKE),
    "avx512": (SKYLAKE, ICELAKE, ZEN4),
    "avx512bf16": (ZEN4, SAPPHIRE_RAPIDS),
    "neon": (NEOVERSE_N1, NEOVERSE_V1, NEOVERSE_V2),
}

TRIPLES = {"x86_64": "x86_64-linux-gnu", "aarch64": "aarch64-linux-gnu"}
COMMENTS = {"x86_64": "#", "aarch64": "//"}


def command(core, *options):
    return [MCA, f"-mtriple={TRIPLES[core.architecture]}", f"-mcpu={core.name}", *core.options, *options]


def regions(core, listings):
    """One input for several loops, which the model runs one by one."""
    sign = COMMENTS[core.architecture]
    lines = []
    for i, listing in enumerate(listings):
        lines += [f"{sign} LLVM-MCA-BEGIN {i}", *listing, f"{sign} LLVM-MCA-END {i}"]
    return "\n".join(lines) + "\n"


def run(core, source, *options):
    result = subprocess.run(command(core, *options), input=source, capture_output=True, text=True)
    # An instruction that the model does not know would be left out with a warning or an error only.
    complaints = [line for line in result.stderr.splitlines() if re.search(r"error|unsupported|skipping", line)]
    if result.returncode != 0 or complaints:
        raise RuntimeError(f"{MCA} for {core.name}: " + "; ".join(complaints or result.stderr.splitlines()))
    return result.stdout


def simulate(core, listings):
    """For each listing: cycles an iteration, and the model's description of each instruction."""
    if not listings:
        return []
    source = regions(core, listings)
    cycles, described = [], []
    for iterations in ITERATIONS:
        answer = json.loads(run(core, source, "-json", f"-iterations={iterations}"))["CodeRegions"]
        answer.sort(key=lambda region: int(region["Name"]))
        cycles.append([region["SummaryView"]["TotalCycles"] for region in answer])
        described = [region["InstructionInfoView"]["InstructionList"] for region in answer]
    steps = ITERATIONS[1] - ITERATIONS[0]
    return [((late - early) / steps, about) for early, late, about in zip(*cycles, described)]


def report(core, listing):
    """The model's own report on one loop, as text."""
    return run(core, "\n".join(listing) + "\n", f"-iterations={ITERATIONS[0]}", "-bottleneck-analysis", "-all-stats")
