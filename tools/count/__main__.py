"""Counts the instructions of whole calls, and compares with the counts on record; see docs/instruction-counts.md.

Each case is run by fovea-count of every build directory, under an emulator that counts. The exit status is 1 if a
count differs from the one on record by more than 2 %, in either direction.
"""

import argparse
import fnmatch
import pathlib
import signal
import sys

# markdown_tables.py, which several tools share.
sys.path.insert(1, str(pathlib.Path(__file__).resolve().parent.parent))

import document
import judge
from backends import OVERHEAD
from build import Build


def print_functions(builds, pattern):
    for build in builds:
        for name, emulator in build.emulators.items():
            for case in build.cases(pattern):
                print(f"==== {name} {case}")
                print("\n".join(emulator.functions(name, case)))


def tell_setup(name, counts, record):
    """Says with what a backend is counted, and what of it is not as it was."""
    before = record.setups.get(name, counts.setup)
    print(f"{name}: {counts.setup}")
    if before != counts.setup:
        print(f"{name}: the counts on record are of another set-up, {before}: differences may be due to that")
    if counts.absence:
        print(f"{name}: not counted, {counts.absence}")


def check(record, counts, pattern):
    """Prints the report; the exit status."""
    results = []
    work = dict(record.work)
    print(f"        {'backend':8} {'case':46} {'on record':>10} {'now':>10} {'change':>10} {'a vector':>9}")
    for name, of_backend in counts.items():
        work |= of_backend.work
        if not of_backend.absence:
            results += judge.backend_checks(name, of_backend.instructions, record.counts[name], work,
                                            lambda case: fnmatch.fnmatch(case, pattern))
    # A backend that was not counted now is taken as recorded.
    latest = record.counts | {name: new.instructions for name, new in counts.items() if not new.absence}
    if pattern == "*" and OVERHEAD[0] in counts and all(latest[name] for name in OVERHEAD[:2]):
        results.append(judge.overhead_check(latest, work))
    for passed, text in results:
        print(f"{'ok     ' if passed else 'FAILED '} {text}")
    failed = sum(not passed for passed, _ in results)
    print(f"{len(results) - failed} passed, {failed} failed")
    return 1 if failed or not results else 0


def main():
    # Ends quietly where the reader does: a pager, or head.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    parser = argparse.ArgumentParser(
        prog="count", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("record", type=pathlib.Path, help="the document with the counts on record")
    parser.add_argument("plugin", type=pathlib.Path, help="QEMU's plugin that counts")
    parser.add_argument("build", nargs="+", help="build directory")
    parser.add_argument("--case", metavar="PATTERN", default="*", help="these cases only (a shell pattern)")
    parser.add_argument("--update", action="store_true", help="put the counts on record; needs --reason")
    parser.add_argument("--reason", default="", help="with --update: why they differ, for the history")
    parser.add_argument("--functions", action="store_true",
                        help="list the functions that the instructions are in, instead (x86-64)")
    options = parser.parse_args()
    if options.update != bool(options.reason.strip()):
        parser.error("--update needs a --reason, and the other way round")
    if options.update and options.case != "*":
        parser.error("--update takes all cases")

    builds = [Build(directory, options.plugin) for directory in options.build]
    if options.functions:
        print_functions(builds, options.case)
        return 0
    record = document.Document(options.record)
    counts = {name: of_backend for build in builds for name, of_backend in build.count(options.case).items()}
    for name, of_backend in counts.items():
        tell_setup(name, of_backend, record)
    if options.update:
        counted = {name: new for name, new in counts.items() if not new.absence}
        record.update(counted, " ".join(options.reason.split()))
        print(f"{options.record}: {', '.join(counted)} written")
        return 0
    return check(record, counts, options.case)


if __name__ == "__main__":
    sys.exit(main())
