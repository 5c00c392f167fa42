"""Main loops that do not fill the FMA pipes to TARGET per cent, with the share they reach and the reason. A loop that
falls below its entry fails the check, and so does an entry that no loop needs any more."""

import dataclasses
import fnmatch

TARGET = 95.0
# A loop may be this much below its entry: a compiler's next release moves an instruction here and there.
SLACK = 1.0

# Why, by key: each becomes a footnote of docs/inner-loops.md.
REASONS = {}


@dataclasses.dataclass(frozen=True)
class Entry:
    backend: str
    core: str
    # A shell pattern.
    function: str
    share: float
    # A key of REASONS.
    reason: str

    def fits(self, backend, core, function):
        return self.backend == backend and self.core == core and fnmatch.fnmatch(function, self.function)


ACCEPTED = ()


def entry_for(backend, core, function):
    return next((entry for entry in ACCEPTED if entry.fits(backend, core, function)), None)
