"""What must hold of the counts, as pairs of a truth value and a line of text."""

from backends import ALL, OVERHEAD, SUMS, TOLERANCE
from document import LANES, vectors


def compare(name, case, committed, now, work):
    """A case's row of the report."""
    figures = f"{name:8} {case:46} {committed or '-':>10} {now or '-':>10}"
    if not committed:
        return False, f"{figures}            not on record: update the table"
    if not now:
        return False, f"{figures}            no such case any more: update the table"
    change = now / committed - 1
    text = f"{figures} {100 * change:+8.2f} % {now * LANES[name] / work:9.2f}"
    if change > TOLERANCE:
        return False, f"{text}  more instructions"
    if change < -TOLERANCE:
        return False, f"{text}  fewer: update the table, so that the gain is kept"
    return True, text


def backend_checks(name, counts, committed, work, chosen):
    cases = [case for case in dict.fromkeys([*committed, *counts]) if chosen(case)]
    for case in cases:
        yield compare(name, case, committed.get(case), counts.get(case), work.get(case))


def overhead_check(counts, work):
    """Instructions beside the useful FMAs, of one backend against another's. Only the sum of all cases is judged."""
    mine, other, most = OVERHEAD
    found = vectors(counts, work)
    ratios = {name: (found[mine][name] - 1) / (found[other][name] - 1) for name in SUMS}
    figures = ", ".join(f"{name} {ratio:.2f}" for name, ratio in ratios.items())
    return ratios[ALL] <= most, f"{mine}'s instructions beside the FMAs over {other}'s: {figures} (at most {most})"
