#!/usr/bin/env python3
"""Measures the errors that docs/numerics.md publishes, and writes its tables or compares with them.

usage: numerics.py [--check] [--exponentials] DOCUMENT RUNNER [EMULATOR RUNNER]

A RUNNER is the program of the unit tests, whose suites numerics and exp2 print the figures. What an emulator runs is a part:
short shapes on the backend NEON, and one in 64 of the exponentials' arguments. --exponentials: all arguments of the
exponentials natively (minutes); without it those on record stay. --check: the exit status is 1 if an error exceeds the
one on record by more than a quarter, or has no record.
"""

import argparse
import os
import pathlib
import re
import subprocess
import sys

from markdown_tables import rewrite, rows_below, split_at, table

BEGIN = "<!-- Written by ./dev numerics from here -->"
END = "<!-- to here -->"
# An error may be so many times the one on record, which has two digits: a compiler may order sums in another way.
FACTOR = 1.25
KINDS = ("output", "log-sum-exp", "probabilities")
EXPONENTIALS = "Exponentials and softcap's tanh"
COLUMNS = ("Function", "Relative error", "ULP", "Arguments")
# FOVEA_TEST_SCALE natively, and what is run under the emulator.
EVERY = "1"
EMULATED = ("0.015625", "neon")

EXPONENTIAL = re.compile(r"((?:exp2|tanh) \S.*?) +relative error (\S+), (\S+) ULP")


def run(command, suite, scale, backend=None):
    """What a suite prints."""
    # One run after another gives the same figures, so no test may be drawn by chance.
    environment = os.environ | {"FOVEA_TEST_SCALE": scale, "FOVEA_TEST_SEED": "1", "CK_DEFAULT_TIMEOUT": "3600"}
    if backend:
        environment["FOVEA_TEST_BACKEND"] = backend
    result = subprocess.run([*command, suite], env=environment, capture_output=True, text=True)
    if result.returncode != 0:
        raise SystemExit(f"{' '.join(command)} {suite}: {result.stdout[-2000:]}{result.stderr[-500:]}")
    return result.stdout.splitlines()


def errors_of(command, *scale_and_backend):
    """Figures by (subject, kind, shape, column)."""
    found = {}
    for line in run(command, "numerics", *scale_and_backend):
        if line.startswith("numerics\t"):
            _, kind, subject, shape, column, error = line.split("\t")
            found.setdefault((subject, kind, shape, column), float(error))
    return found


def exponentials_of(command, scale, backend=None):
    """Rows of the exponentials' table by name."""
    words = "all" if scale == EVERY else f"1 in {1 / float(scale):.0f}"
    matches = filter(None, (EXPONENTIAL.match(line) for line in run(command, "exp2", scale, backend)))
    return {name: [name, f"{float(relative):.2e}", ulp, words] for name, relative, ulp in (m.groups() for m in matches)}


def title(subject, kind):
    return f"### {subject}: {kind}"


def recorded_errors(text):
    found = {}
    for section in re.split(r"^### ", text, flags=re.MULTILINE)[1:]:
        subject, _, kind = section.splitlines()[0].rpartition(": ")
        for row in rows_below(section, "Shape"):
            for column, cell in row.items():
                if column != "Shape" and cell:
                    found[subject, kind, row["Shape"], column] = float(cell)
    return found


def recorded_exponentials(text):
    return {row[COLUMNS[0]]: [row[column] for column in COLUMNS] for row in rows_below(text, COLUMNS[0])}


def distinct(values):
    return list(dict.fromkeys(values))


def errors_tables(errors):
    for subject in distinct(key[0] for key in errors):
        for kind in KINDS:
            keys = [key for key in errors if key[:2] == (subject, kind)]
            if not keys:
                continue
            columns = distinct(key[3] for key in keys)
            rows = []
            for shape in distinct(key[2] for key in keys):
                cells = [errors.get((subject, kind, shape, column)) for column in columns]
                rows.append([shape, *("" if cell is None else f"{cell:.1e}" for cell in cells)])
            yield title(subject, kind)
            yield ""
            yield from table(["Shape", *columns], rows, 1)
            yield ""


def document(errors, exponentials):
    lines = [f"### {EXPONENTIALS}", "", *table(COLUMNS, exponentials.values(), 1), "", *errors_tables(errors)]
    return "\n".join(lines)


def judge(measured, recorded):
    passed = failed = 0
    for key, error in measured.items():
        record = recorded.get(key)
        name = ", ".join(key)
        if record is None:
            print(f"FAILED  {name}: {error:.1e}, not on record")
            failed += 1
        elif error > FACTOR * record:
            print(f"FAILED  {name}: {error:.1e}, {error / record:.2f} times the {record:.1e} on record")
            failed += 1
        else:
            passed += 1
            if error * FACTOR < record:
                print(f"better  {name}: {error:.1e}, {record:.1e} on record")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("document", type=pathlib.Path)
    parser.add_argument("runner")
    parser.add_argument("emulated", nargs="*", help="an emulator and its runner")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--exponentials", action="store_true")
    options = parser.parse_args()

    _, text, _ = split_at(options.document, BEGIN, END)
    recorded = recorded_errors(text)
    measured = errors_of([options.runner], EVERY)
    if options.emulated:
        emulated = errors_of(options.emulated, *EMULATED)
        measured |= {key: error for key, error in emulated.items() if key not in measured}
    if options.check:
        return judge(measured, recorded)

    exponentials = recorded_exponentials(text)
    if options.exponentials:
        exponentials |= exponentials_of([options.runner], EVERY)
        if options.emulated:
            exponentials |= exponentials_of(options.emulated, *EMULATED)
    # What this machine cannot run stays as it was, as far as there still is such a row.
    shapes = {key[:3] for key in measured}
    kept = {key: error for key, error in recorded.items() if key[:3] in shapes}
    rewrite(options.document, BEGIN, END, document(kept | measured, exponentials))
    return 0


if __name__ == "__main__":
    sys.exit(main())
