"""Main loops that do not fill the FMA pipes to TARGET per cent, with the share they reach and the reason. A loop that
falls below its entry fails the check."""

import dataclasses
import fnmatch

TARGET = 95.0
# A loop may be this much below its entry: a compiler's next release moves an instruction here and there.
SLACK = 1.0

# Why, by key: each becomes a footnote of docs/inner-loops.md.
REASONS = {
    "one-vector": "A tile of one vector loads an element for each FMA and lanes for each step. With two loads a "
    "cycle, n elements and one vector of lanes take (n + 1) / 2 cycles, their n FMAs n / 2: 12 / 13 is 92.3 %, 16 "
    "/ 17 is 94.1 %.",
    "zmm-copies": "The compiler moves two or three accumulators to other registers and back in each iteration. LLVM's "
    "Skylake server sends copies of zmm registers to the FMA ports; without them the model gives 100 %. The processor, "
    "as the models of the other two, renames registers instead, at the cost of a slot in the front end.",
}


@dataclasses.dataclass(frozen=True)
class Entry:
    backend: str
    # Shell patterns.
    core: str
    kernel: str
    share: float
    # A key of REASONS.
    reason: str

    def fits(self, backend, core, kernel):
        return self.backend == backend and fnmatch.fnmatch(core, self.core) and fnmatch.fnmatch(kernel, self.kernel)


ACCEPTED = (
    # scores_1_0, scores_1_1, scores_1_3 and values_1, whose first number is that of the vectors.
    Entry("avx2", "*", "*s_1*", 92.3, "one-vector"),
    Entry("avx512", "skylake-avx512", "*s_1*", 94.1, "one-vector"),
    Entry("avx512", "icelake-server", "*s_1*", 94.1, "one-vector"),
    Entry("avx512", "skylake-avx512", "values_3", 92.3, "zmm-copies"),
)


def entry_for(backend, core, kernel):
    return next((entry for entry in ACCEPTED if entry.fits(backend, core, kernel)), None)
