"""Processor cores as llvm-mca models them: which are asked for a backend, what their FMA pipes are, where a model is
known to be wrong, and running it."""

import dataclasses
import json
import re
import subprocess

MCA = "llvm-mca-22"
# Cycles an iteration are taken between these two numbers of iterations, which leaves out the time to fill the core.
ITERATIONS = (100, 300)

VECTOR = re.compile(r"%([xyz])mm(\d+)")
LOAD = re.compile(r"(vmovups|vmovaps|vbroadcastss) (.*\(.*\)), %[yz]mm(\d+)$")
BROADCAST = re.compile(r"(?:vbroadcastss|vpbroadcastd) (.*\(.*\)), %")


def plain_loads(listing):
    return [BROADCAST.sub(r"vmovups \1, %", line) for line in listing]


def short_loads(listing):
    """Loads go to the first sixteen registers, by giving registers other numbers, and to their lower halves."""
    loads = [found.group(3) for found in map(LOAD.match, listing) if found]
    every = [number for line in listing for _, number in VECTOR.findall(line)]
    numbers = {old: new for new, old in enumerate(dict.fromkeys(loads + every))}
    renamed = [VECTOR.sub(lambda found: f"%{found.group(1)}mm{numbers[found.group(2)]}", line) for line in listing]
    return [LOAD.sub(r"\1 \2, %ymm\3", line) for line in renamed]


def single_products(listing):
    return [line.replace("vdpbf16ps", "vfmadd231ps") for line in plain_loads(listing)]


def half_width(listing):
    return [line.replace("%zmm", "%ymm").replace("{1to16}", "{1to8}") for line in short_loads(listing)]


@dataclasses.dataclass(frozen=True)
class Mend:
    """What a listing is changed into where a model is known to be wrong about it, and why."""

    key: str
    change: object
    reason: str


PLAIN_LOADS = Mend(
    "zen-broadcast",
    plain_loads,
    "LLVM's Zen 3 and Zen 4 let `vbroadcastss` from memory occupy an FP pipe that FMAs need: pipe 1 or 2 for ymm "
    "registers, pipe 1 and three micro-operations for zmm registers. On a Zen 4 machine tiles of 8 × 3 and 6 × 2, "
    "with a broadcast for two or three FMAs, were measured at 98 to 99 % of the FMA peak, as if it were a plain load; "
    "with one for each FMA of zmm registers 68 %, where the broadcast is part of the FMA 95. The second figure is that "
    "of the same loop with plain loads in their place.",
)
SHORT_LOADS = Mend(
    "skylake-load",
    short_loads,
    "LLVM's Skylake server gives every load in EVEX encoding (of a zmm register, or of one numbered 16 or more) a "
    "second micro-operation on port 0, 1 or 5, which only masked loads have. The second figure is that of the "
    "same loop with loads into ymm registers below 16, which occupy a load port and nothing else.",
)
SINGLE_PRODUCTS = Mend(
    "zen-pairs",
    single_products,
    "LLVM's Zen 4 lets `vdpbf16ps` of zmm registers occupy an FP pipe for six cycles, an FMA for two, so that the "
    "first figure cannot exceed 33 %. On a Zen 4 machine whole calls did bf16 products at up to 181 % of the "
    "peak of f32's, two for each of an FMA's, so that pairs were multiplied at 90 % of the rate of FMAs or more. The "
    "second figure is that of the same loop with FMAs in their place and with plain loads for broadcasts.",
)
HALF_WIDTH = Mend(
    "one-fma-port",
    half_width,
    "LLVM's Ice Lake has 512-bit FMAs on port 0 only, as small processors of the family do; "
    "the servers have a second unit on port 5 (a loop of zmm FMAs was measured at two a cycle on a Sapphire "
    "Rapids), so the first figure cannot exceed 50 %. The second figure is that of the same loop with ymm "
    "registers, whose FMAs the model issues on two ports, with loads as on Skylake server, all else being equal: "
    "instructions, dependencies, addresses.",
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
SKYLAKE = Core("skylake-avx512", "x86_64", {"x": 2, "y": 2, "z": 2}, mends={"z": SHORT_LOADS})
ICELAKE = Core("icelake-server", "x86_64", {"x": 2, "y": 2, "z": 2}, {"z": 1}, mends={"z": HALF_WIDTH})
# Products of pairs: the model has one every other cycle, and no measurement says otherwise.
SAPPHIRE_RAPIDS = Core("sapphirerapids", "x86_64", {"z": 0.5})
# AMD: FP pipes 0 and 1, 256 bits wide; 512-bit instructions occupy one for two cycles.
ZEN3 = Core("znver3", "x86_64", {"x": 2, "y": 2}, mends={"y": PLAIN_LOADS})
ZEN4 = Core("znver4", "x86_64", {"x": 2, "y": 2, "z": 1}, mends={"y": PLAIN_LOADS, "z": PLAIN_LOADS})
# Products of pairs: as FMAs, see the mend.
ZEN4_PAIRS = Core("znver4", "x86_64", {"z": 1}, {"z": 0.33}, mends={"z": SINGLE_PRODUCTS})
# Arm: every vector pipe. The model of N1 dispatches three micro-operations a cycle; the processor up to eight.
NEOVERSE_N1 = Core("neoverse-n1", "aarch64", {"q": 2}, options=("-dispatch=8",))
NEOVERSE_V1 = Core("neoverse-v1", "aarch64", {"q": 4})
NEOVERSE_V2 = Core("neoverse-v2", "aarch64", {"q": 4})

# Whom a backend's tiles are written for.
CORES = {
    "avx2": (ZEN3, SKYLAKE, ICELAKE),
    "avx512": (SKYLAKE, ICELAKE, ZEN4),
    "avx512bf16": (ZEN4_PAIRS, SAPPHIRE_RAPIDS),
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
        raise RuntimeError(f"{MCA} for {core.name}: " + "; ".join((complaints or result.stderr.splitlines())[:5]))
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
