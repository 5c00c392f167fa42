"""Measures fovea and its peers alternately with the machine's limits, and writes docs/benchmarks.md, its plots,
bench/results/peers.json and the README's section.

With --quick, --shapes, --rounds or several threads nothing of that is touched: the same files go to build/peers/, unless
--output names another folder. The exit status is 1 if a result differs from fovea's by more than the tolerance, or a
program failed.
"""

import argparse
import dataclasses
import datetime
import json
import pathlib
import re
import sys

import coordinator
import figures
import plots
import report
import shapes

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.append(str(ROOT / "tools"))
from processor import processor  # noqa: E402
RESULT = pathlib.Path("bench") / "results" / "peers.json"


def measure(options: argparse.Namespace, build: pathlib.Path, output: pathlib.Path) -> tuple[dict, list[str]]:
    effort = coordinator.quick_effort() if options.quick else coordinator.full_effort()
    if options.rounds:
        effort = dataclasses.replace(effort, rounds=options.rounds)
    rows = [shape for shape in (shapes.QUICK_TABLE if options.quick else shapes.TABLE)
            if not options.shapes or re.search(options.shapes, shape.name)]
    # A part of the table comes without the plots over lengths.
    sweeps = () if options.shapes else (shapes.QUICK_SWEEPS if options.quick else shapes.SWEEPS)
    if not rows:
        raise SystemExit(f"bench --peers: no shape matches {options.shapes}")
    with coordinator.Coordinator(build, options.threads, effort, output / "peers.log") as hub:

        def run(shape: shapes.Shape) -> dict:
            row = hub.measure(shape)
            print(report.line(row), flush=True)
            return row

        print(" " * 40, " ".join(f"{words:>17}" for _, words in coordinator.PEERS))
        result = {
            "environment": {
                "cpu": processor(),
                "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d"),
                "threads": options.threads,
                "rounds": effort.rounds,
                "slice_seconds": effort.slice_seconds,
                "memory_bytes": effort.memory_bytes,
                "versions": hub.versions,
                "words": hub.words,
            },
            "rows": [run(shape) for shape in rows],
            "sweeps": [{"name": sweep.name, "words": sweep.words, "rows": [run(shape) for shape in sweep.shapes]}
                       for sweep in sweeps],
        }
        return result, hub.failures


def main() -> int:
    parser = argparse.ArgumentParser(prog="./dev bench --peers", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="tiny shapes, one round: whether everything works")
    parser.add_argument("--shapes", metavar="REGEX", help="only problems of the table whose name matches; no plots")
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="of every program (default 1)")
    parser.add_argument("--rounds", type=int, metavar="N", help="instead of 7 (--quick: 1)")
    parser.add_argument("--output", type=pathlib.Path, metavar="FOLDER", help="where to write, as if it were this tree")
    parser.add_argument("--render", action="store_true", help="write text and plots again from the JSON file; measure nothing")
    options = parser.parse_args()
    if options.threads < 1 or (options.rounds is not None and options.rounds < 1):
        parser.error("--threads and --rounds take a number from 1 on")

    build = ROOT / "build"
    partial = options.quick or options.shapes or options.rounds or options.threads != 1
    output = options.output or (build / "peers" if partial else ROOT)
    scratch = build / "peers"
    scratch.mkdir(parents=True, exist_ok=True)
    path = output / RESULT
    failures: list[str] = []
    if options.render:
        result = json.loads(path.read_text(encoding="utf-8"))
    else:
        result, failures = measure(options, build, scratch)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    if result["sweeps"]:
        report.write(output, result, plots.draw(output, result))
        print(f"written: {output / 'docs' / 'benchmarks.md'} and its plots")
    failures += figures.mismatches(result["rows"] + [row for sweep in result["sweeps"] for row in sweep["rows"]])
    for failure in failures:
        print(f"bench --peers: {failure}", file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
