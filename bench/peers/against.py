"""Compares two builds of fovea's shared library: calls of both in one process, in turn, on the same data.

What others do to the machine changes from minute to minute, by more than most changes of a kernel do; it hardly changes
from one call to the next. So the figure of a row is the median, over the rounds, of the time of the new library over
that of the old one in the same round. The libraries' results are compared bit by bit: "same" or how far they differ.
"""

import argparse
import pathlib
import re
import statistics
import time
from collections.abc import Callable

import numpy as np

import shapes
import tensors
from peer import Unsupported
from peer_fovea import Peer

SLICE_SECONDS = 2e-3


def seconds_of(call: Callable[[], object], times: int) -> float:
    begin = time.perf_counter()
    for _ in range(times):
        call()
    return (time.perf_counter() - begin) / times


def times_in_slice(call: Callable[[], object]) -> int:
    call()
    return max(1, round(SLICE_SECONDS / seconds_of(call, 1)))


def difference(old: np.ndarray, new: np.ndarray) -> str:
    if np.array_equal(old, new, equal_nan=True):
        return "same"
    return f"{np.max(np.abs(old - new)) / np.max(np.abs(old)):.1e}"


def row(shape: shapes.Shape, old: Peer, new: Peer, rounds: int) -> str:
    data = tensors.make(shape, 1)
    try:
        prepared = [library.prepare(shape, data) for library in (old, new)]
    except Unsupported as reason:
        return f"{shape.name:52} {reason}"
    calls = [library.calls[0] for library in prepared]
    times = times_in_slice(calls[0])
    seconds: list[list[float]] = [[], []]
    for index in range(rounds):
        # Which is first takes turns too.
        for which in (index % 2, 1 - index % 2):
            seconds[which].append(seconds_of(calls[which], times))
    ratios = [after / before for before, after in zip(*seconds)]
    lower, median, upper = statistics.quantiles(ratios, n=4)
    unit = 1e6 * statistics.median(seconds[1])
    return (f"{shape.name:52} {median:6.3f}  {lower:.3f} to {upper:.3f} {unit:10.1f} µs  "
            f"{difference(*(library.output() for library in prepared))}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="./dev bench --against", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", type=pathlib.Path, help="a libfovea.so of another build")
    parser.add_argument("--new", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--shapes", metavar="REGEX", help="only problems of bench --peers whose name matches")
    parser.add_argument("--exp", choices=("sleef", "fused"), default="sleef", help="of f32 softmaxes (default sleef)")
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="of both (default 1)")
    parser.add_argument("--rounds", type=int, default=60, metavar="N", help="at least 2 (default 60)")
    parser.add_argument("--quick", action="store_true", help="tiny shapes, two rounds: whether everything works")
    options = parser.parse_args()
    if options.threads < 1 or options.rounds < 2:
        parser.error("--threads takes a number from 1 on, --rounds from 2 on")
    table = shapes.QUICK_TABLE if options.quick else shapes.TABLE
    rows = [shape for shape in table if not options.shapes or re.search(options.shapes, shape.name)]
    if not rows:
        raise SystemExit(f"bench --against: no shape matches {options.shapes}")

    old, new = (Peer(options.threads, path.resolve(), options.exp) for path in (options.old, options.new))
    for words, library in (("old", old), ("new", new)):
        print(f"{words}: fovea {library.versions['fovea']}")
    print(f"{'time of the new library over the old':52} median  quartiles")
    for shape in rows:
        print(row(shape, old, new, 2 if options.quick else options.rounds), flush=True)


if __name__ == "__main__":
    main()
