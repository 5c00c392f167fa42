"""What `llvm-cov export` tells of a program's sources: which lines were reached, and which ways conditions went.

The compiler counts in the source, before it inlines: all instances of a template add to the counters of one place. What
the preprocessor makes several functions of (a file that is included again, another backend's object) has counters for
each; a place was reached if one of them was.
"""

import json
import pathlib
from collections import defaultdict

# Kinds of regions.
CODE, BRANCH = 0, 4


class Coverage:
    """Lines and branches by file (relative to the root). lines: number → reached. branches: (line, column) → the set of
    ways (True, False) that the condition there went."""

    def __init__(self, root):
        self.root = root
        self.lines = defaultdict(dict)
        self.branches = defaultdict(dict)

    def add(self, export):
        data = json.loads(pathlib.Path(export).read_text())["data"][0]
        for file in data["files"]:
            self._add_lines(self._name(file["filename"]), file["segments"])
        for function in data["functions"]:
            self._add_branches([self._name(name) for name in function["filenames"]], function)

    def _name(self, path):
        path = pathlib.Path(path).resolve()
        return str(path.relative_to(self.root)) if path.is_relative_to(self.root) else str(path)

    def _add_lines(self, name, segments):
        lines = self.lines[name]
        for line, count in line_counts(segments):
            lines[line] = lines.get(line, False) or count > 0

    def _add_branches(self, names, function):
        # By file and, for a macro, by the place where it is expanded.
        code = defaultdict(list)
        for *region, count, file, _, kind in function["regions"]:
            if kind == CODE:
                code[file].append((*region, count))
        for *region, taken, not_taken, file, _, kind in function["branches"]:
            assert kind == BRANCH, kind
            place = tuple(region[:2])
            if not taken and not not_taken and innermost_count(code[file], place):
                continue  # Reached, and yet it went no way: a literal decides it in this instance.
            ways = self.branches[names[file]].setdefault(place, set())
            ways |= {True} if taken else set()
            ways |= {False} if not_taken else set()


def innermost_count(regions, place):
    """The count of the smallest region that holds a place."""
    holding = [region for region in regions if region[:2] <= place < region[2:4]]
    return max(holding, key=lambda region: (region[:2], (-region[2], -region[3])))[4] if holding else 0


def line_counts(segments):
    """The lines that hold code, with the greatest count of their regions. A segment holds from its place to the next
    one's; a line has what began on it and what went on from above."""
    by_line = defaultdict(list)
    for segment in segments:
        by_line[segment[0]].append(segment)
    above = None
    for line in range(segments[0][0], segments[-1][0] + 1) if segments else ():
        here = by_line.get(line, [])
        begun = [count for _, _, count, counted, entry, gap in here if counted and entry and not gap]
        skipped = here and not here[0][3] and here[0][4]
        goes_on = above is not None and above[3]
        if not skipped and (begun or goes_on):
            yield line, max(begun + ([above[2]] if goes_on else []))
        if here:
            above = here[-1]
