"""Puts together what several builds' tests reached of src/ and arch/, and judges it.

usage: coverage --lines PERCENT --branches PERCENT --listing FILE [--without FOLDER=WHY...] BUILD...

A BUILD is a folder of Meson's with the output of `llvm-cov export` in coverage.json. A branch is one way of a condition,
at its place in the source; one that a literal decides is none. --without: a folder that no processor here could run;
files of no build are named beside them. --listing: where every line and way that was not reached is written. The exit
status is 1 below one of the goals.
"""

import argparse
import json
import pathlib
import sys

from exports import Coverage
from sources import telling_lines

COUNTED = ("src", "arch")


class Tally:
    def __init__(self, reached=0, total=0):
        self.reached, self.total = reached, total

    def __add__(self, other):
        return Tally(self.reached + other.reached, self.total + other.total)

    def percent(self):
        return 100 * self.reached / self.total if self.total else 100

    def __str__(self):
        return f"{self.reached:5} of {self.total:5} {self.percent():6.2f} %"


def take_file(coverage, name, listing):
    """The tallies of a file's lines and branches; what was not reached goes to the listing."""
    source = (coverage.root / name).read_text().splitlines()
    telling = telling_lines(coverage.root / name)
    lines = {number: reached for number, reached in coverage.lines[name].items() if number in telling}
    branches = coverage.branches[name]
    missing = [(number, 0, "not reached") for number, reached in lines.items() if not reached]
    for (line, column), ways in branches.items():
        for way in (True, False):
            # Of a line that is not reached at all, this was said.
            if way not in ways and lines.get(line, True):
                missing.append((line, column, f"never {str(way).lower()}"))
    for line, column, what in sorted(missing):
        place = f"{name}:{line}:{column}" if column else f"{name}:{line}"
        print(f"{place}: {what}: {source[line - 1].strip()}", file=listing)
    return (Tally(sum(lines.values()), len(lines)),
            Tally(sum(map(len, branches.values())), 2 * len(branches)))


def compiled_files(build):
    commands = json.loads((build / "compile_commands.json").read_text())
    return {(pathlib.Path(command["directory"]) / command["file"]).resolve() for command in commands}


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--lines", type=float, required=True)
    parser.add_argument("--branches", type=float, required=True)
    parser.add_argument("--listing", type=pathlib.Path, required=True)
    parser.add_argument("--without", action="append", default=[])
    parser.add_argument("builds", nargs="+", type=pathlib.Path)
    options = parser.parse_args()

    coverage = Coverage(pathlib.Path.cwd().resolve())
    for build in options.builds:
        coverage.add(build / "coverage.json")
    without = dict(option.split("=", 1) for option in options.without)
    left_out = {name: why for folder, why in without.items() for name in coverage.lines if name.startswith(folder + "/")}
    names = sorted(name for name in coverage.lines if name.split("/")[0] in COUNTED and name not in left_out)

    all_lines, all_branches = Tally(), Tally()
    print(f"{'':34} {'lines':>22}   {'branches':>22}")
    with options.listing.open("w") as listing:
        for name in names:
            lines, branches = take_file(coverage, name, listing)
            all_lines += lines
            all_branches += branches
            if lines.total or branches.total:
                print(f"{name:34} {lines}   {branches}")
    print(f"{'all':34} {all_lines}   {all_branches}")

    for folder, why in without.items():
        print(f"not counted: {folder}: {why}")
    compiled = set().union(*(compiled_files(build) for build in options.builds))
    for path in sorted(path for folder in COUNTED for path in pathlib.Path(folder).rglob("*.c")):
        if path.resolve() not in compiled:
            print(f"not counted: {path}: no build here compiles it")
    print(f"{options.listing} names each place that was not reached")
    print(f"lines {all_lines.percent():.2f} % (goal {options.lines:g} %), "
          f"branches {all_branches.percent():.2f} % (goal {options.branches:g} %)")
    return 0 if all_lines.percent() >= options.lines and all_branches.percent() >= options.branches else 1


if __name__ == "__main__":
    sys.exit(main())
