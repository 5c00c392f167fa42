#!/usr/bin/env python3
"""Compares two results of `fovea-bench --table --json FILE`.

A row has changed when its quartiles do not overlap and its median moved by more than the tolerance; one that other
programs disturbed is not judged. The exit status is 1 if a row got worse or is no longer measured, 2 if a file cannot
be read.
"""

import argparse
import json
import sys


def load(path):
    try:
        with open(path, encoding="utf-8") as file:
            result = json.load(file)
        return result["environment"], {row["name"]: row for row in result["rows"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        print(f"{path}: {error}", file=sys.stderr)
        sys.exit(2)


def gain(old, new):
    """Relative improvement: positive is better, whichever way the figure counts."""
    before, after = old["figure"], new["figure"]
    if before <= 0 or after <= 0:
        return 0.0
    return after / before - 1 if new["better"] == "larger" else before / after - 1


def overlap(old, new):
    return old["lower_quartile"] <= new["upper_quartile"] and new["lower_quartile"] <= old["upper_quartile"]


def judge(old, new, tolerance):
    """One of: better, worse, same, disturbed, new, gone, and the empty string for what neither run measured."""
    had = old is not None and "figure" in old
    has = new is not None and "figure" in new
    if not had or not has:
        return "new" if has else "gone" if had else ""
    if old["disturbed"] or new["disturbed"]:
        return "disturbed"
    change = gain(old, new)
    if overlap(old, new) or abs(change) <= tolerance:
        return "same"
    return "better" if change > 0 else "worse"


def figure(row):
    return f"{row['figure']:9.2f}" if row is not None and "figure" in row else f"{'-':>9}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old")
    parser.add_argument("new")
    parser.add_argument("--tolerance", type=float, default=5.0, metavar="PERCENT", help="default: 5")
    parser.add_argument("--changed", action="store_true", help="print only rows that are not the same")
    options = parser.parse_args()

    old_environment, old_rows = load(options.old)
    new_environment, new_rows = load(options.new)
    for key in ("cpu", "pages", "threads"):
        if old_environment[key] != new_environment[key]:
            print(f"note: {key} differs: {old_environment[key]} and {new_environment[key]}")

    verdicts = ("better", "worse", "same", "disturbed", "new", "gone")
    counts = dict.fromkeys((*verdicts, ""), 0)
    for name in dict.fromkeys([*old_rows, *new_rows]):
        old, new = old_rows.get(name), new_rows.get(name)
        verdict = judge(old, new, options.tolerance / 100)
        counts[verdict] += 1
        if not verdict or (options.changed and verdict == "same"):
            continue
        change = f"{100 * gain(old, new):+7.1f} %" if verdict not in ("new", "gone") else " " * 9
        unit = (new if new is not None and "unit" in new else old)["unit"]
        print(f"{name:<66} {figure(old)} {figure(new)} {unit:<6} {change}  {verdict}")

    print(", ".join(f"{counts[verdict]} {verdict}" for verdict in verdicts))
    return 1 if counts["worse"] or counts["gone"] else 0


if __name__ == "__main__":
    sys.exit(main())
