"""How well the inner loops of register tiles fill the FMA pipes, by llvm-mca's models of processors; see
docs/inner-loops.md.

Inner loops are found in the backends' static libraries (BUILD/arch/libfovea-*.a), in the functions that
arch/common/*.inc makes. A kernel is named scores_VECTORS_EXP or values_VECTORS. The exit status is 1 if an inner loop
touches the stack, stores anything or branches; with --check also if a main loop falls below its share, if a share is on
record that no loop needs, or if the document is not up to date.
"""

import argparse
import fnmatch
import pathlib
import signal
import sys

# markdown_tables.py, which several tools share.
sys.path.insert(1, str(pathlib.Path(__file__).resolve().parent.parent))

import checks
import measure
import model
import report


def print_loops(backends, pattern, core_name, tails):
    """The listing and the model's report of loops, for whoever writes kernels."""
    found = 0
    for backend in backends:
        for loop in backend.loops:
            if not fnmatch.fnmatch(loop.tile.kernel, pattern) or not (loop.main or tails):
                continue
            for core in backend.cores:
                if core_name not in (None, core.name):
                    continue
                found += 1
                print(f"==== {backend.name} {loop.tile.kernel} {loop.tile.shape_text()} at {loop.tile.offset:#x}")
                print("loop_head:")
                print("\n".join(f"    {line}" for line in loop.tile.listing()))
                print(f"---- {' '.join(model.command(core))}")
                print(model.report(core, loop.tile.listing()))
    return found


def main():
    # Ends quietly where the reader does: a pager, or head.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    parser = argparse.ArgumentParser(
        prog="mca", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", nargs="+", help="build directory")
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--check", metavar="FILE", type=pathlib.Path,
                      help="judge, and tell whether this document has the tables as they are; the last line is N passed, N failed")
    mode.add_argument("--write", metavar="FILE", type=pathlib.Path, help="rewrite the tables of this document")
    mode.add_argument("--print", metavar="KERNEL", dest="pattern",
                      help="listing and the model's report by instruction, for the main loops of these kernels "
                      "(a shell pattern)")
    parser.add_argument("--core", help="with --print: this core only")
    parser.add_argument("--tails", action="store_true", help="with --print: every inner loop")
    options = parser.parse_args()

    backends = measure.measure_builds(options.build)
    if not backends:
        parser.error(f"no register tiles in {', '.join(options.build)}")
    if options.pattern:
        if not print_loops(backends, options.pattern, options.core, options.tails):
            parser.error("no such loop")
        return 0
    if options.check:
        results = list(checks.every(backends))
        for text in checks.unneeded(backends):
            results.append((False, text))
        results.append((report.is_current(options.check, report.markdown(backends)), f"{options.check} is up to date"))
        for passed, text in results:
            print(f"{'ok     ' if passed else 'FAILED '} {text}")
        failed = sum(not passed for passed, _ in results)
        print(f"{len(results) - failed} passed, {failed} failed")
        return 1 if failed else 0
    text = report.markdown(backends)
    if options.write:
        report.rewrite(options.write, text)
    else:
        print(text)
    faults = [line for backend in backends for passed, line in checks.stack_checks(backend) if not passed]
    for line in faults:
        print(f"FAILED  {line}", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
