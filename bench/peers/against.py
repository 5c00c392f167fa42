"""Compares two builds of fovea's shared library: calls of both in one process, in turn, on the same data.

What others do to the machine changes from minute to minute, by more than most changes of a kernel do; it hardly changes
from one call to the next. So the figure of a row is the median, over the rounds, of the time of the new library over
that of the old one in the same round, followed by the time of a call of the new one, and by how far the results of both
are apart, relative to the largest, or "same". The library's path is relative to the repository.
"""

import argparse
import itertools
import os
import pathlib
import re
import statistics
import time
from collections.abc import Callable

import numpy as np

import limits
import shapes
import tensors
from peer import Unsupported
from peer_fovea import Peer

SLICE_SECONDS = 2e-3


def seconds_of(calls: list[Callable[[], object]], times: int) -> float:
    """Of one call, in the mean over a few of them in turn."""
    begin = time.perf_counter()
    for call in itertools.islice(itertools.cycle(calls), times):
        call()
    return (time.perf_counter() - begin) / times


def difference(old: np.ndarray, new: np.ndarray) -> str:
    if np.array_equal(old, new, equal_nan=True):
        return "same"
    return f"{np.max(np.abs(old - new)) / np.max(np.abs(old)):.1e}"


def row(shape: shapes.Shape, libraries: list[Peer], exp: str, rounds: int, copies: int) -> str:
    data = tensors.make(shape, copies)
    for library in libraries:
        # Only f32 softmaxes have a choice.
        library.exp = exp if shape.type_q == "f32" else "default"
    try:
        prepared = [library.prepare(shape, data) for library in libraries]
    except Unsupported as reason:
        return f"{shape.name:52} {reason}"
    warm = [seconds_of(problem.calls, 2 * len(problem.calls)) for problem in prepared]
    times = max(1, round(SLICE_SECONDS / warm[0]))
    seconds: list[list[float]] = [[], []]
    for index in range(rounds):
        # Which is first takes turns too. The second one does not find the copy in a cache that the first has read.
        for turn, which in enumerate((index % 2, 1 - index % 2)):
            first = (index * times + turn * (copies // 2)) % copies
            calls = prepared[which].calls
            seconds[which].append(seconds_of(calls[first:] + calls[:first], times))
    ratios = [after / before for before, after in zip(*seconds)]
    lower, median, upper = statistics.quantiles(ratios, n=4, method="inclusive")
    microseconds = 1e6 * statistics.median(seconds[1])
    return (f"{shape.name:52} {median:6.3f}  {lower:.3f} to {upper:.3f} {microseconds:10.1f} µs  "
            f"{difference(*(problem.output() for problem in prepared))}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="./dev bench --against", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", type=pathlib.Path, help="a libfovea.so of another build")
    parser.add_argument("--new", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--shapes", metavar="REGEX", help="only problems of bench --peers whose name matches")
    parser.add_argument("--exp", choices=("default", "sleef", "fused"), default="default", help="of f32 softmaxes")
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="of both (default 1)")
    parser.add_argument("--rounds", type=int, default=60, metavar="N", help="at least 2 (default 60)")
    parser.add_argument("--quick", action="store_true", help="tiny shapes, two rounds: whether everything works")
    options = parser.parse_args()
    if options.threads < 1 or options.rounds < 2:
        parser.error("--threads takes a number from 1 on, --rounds from 2 on")
    if not options.old.is_file():
        parser.error(f"{options.old}: no such file")
    if os.path.samefile(options.old, options.new):
        parser.error(f"{options.old} is this tree's own library, which is built anew first: keep a copy of the old one")
    table = shapes.QUICK_TABLE if options.quick else shapes.TABLE
    rows = [shape for shape in table if not options.shapes or re.search(options.shapes, shape.name)]
    if not rows:
        raise SystemExit(f"bench --against: no shape matches {options.shapes}")

    libraries = [Peer(options.threads, path.resolve(), "default") for path in (options.old, options.new)]
    for words, library in zip(("old", "new"), libraries):
        print(f"{words}: fovea {library.versions['fovea']}")
    print(f"{'time of the new library over the old':52} median  quartiles           a call  results")
    for shape in rows:
        rounds, copies = (2, 2) if options.quick else (options.rounds, shape.copies(limits.memory_bytes()))
        print(row(shape, libraries, options.exp, rounds, copies), flush=True)


if __name__ == "__main__":
    main()
