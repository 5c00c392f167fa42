#!/usr/bin/env python3
"""Measures the errors that docs/numerics.md publishes, and writes its tables or compares with them.

usage: numerics.py [--exponentials | --check [--long]] [--printed FILE MACHINE] DOCUMENT RUNNER [EMULATOR RUNNER]
       numerics.py --part

A RUNNER is the program of the unit tests, whose suites numerics and exp2 print the figures. What an emulator runs is a part:
short shapes on the backend NEON. --printed: what the suite numerics printed of short shapes on another machine, of the
scale that --part prints. --exponentials: every argument of the exponentials too (minutes), but one in 64 under the
emulator; without it those on record stay. What this processor cannot run stays on record too, with the name of the
processor that it was measured on. --check: the exit status is 1 if an error exceeds the one on record by more than a
quarter, or has no record; short shapes only (seconds), unless --long is said (minutes).
"""

import argparse
import os
import pathlib
import re
import subprocess
import sys

from markdown_tables import rewrite, rows_below, split_at, table
from processor import processor

BEGIN = "<!-- Written by ./dev numerics from here -->"
END = "<!-- to here -->"
# An error may be so many times the one on record, which has two digits: a compiler may order sums in another way.
FACTOR = 1.25
# Half an ULP of results of the measured size: a smaller error on record was luck.
ROUNDING = {"log-sum-exp": 2.4e-7}
KINDS = ("output", "log-sum-exp", "probabilities")
EXPONENTIALS = "Exponentials and softcap's tanh"
COLUMNS = ("Function", "Relative error", "ULP", "Arguments")
PROCESSORS = ("Backend", "Errors of results", "Exponentials")
# FOVEA_TEST_SCALE: everything; short shapes and one argument in 64, what an emulator does in minutes.
EVERY = "1"
PART = "0.015625"

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


def errors_in(lines):
    """Figures by (subject, kind, shape, column)."""
    found = {}
    for line in lines:
        if line.startswith("numerics\t"):
            _, kind, subject, shape, column, error = line.split("\t")
            found.setdefault((subject, kind, shape, column), float(error))
    return found


def errors_of(command, scale, backend=None):
    return errors_in(run(command, "numerics", scale, backend))


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


def recorded_processors(text):
    return {row[PROCESSORS[0]]: row for row in rows_below(text, PROCESSORS[0])}


def emulator(command):
    """Name and version: qemu-aarch64 7.2.22."""
    lines = subprocess.run([command, "--version"], capture_output=True, text=True, check=True).stdout
    return re.sub(r" version (\S+).*", r" \1", lines.splitlines()[0])


def backends_of(columns):
    """The backends that have a part in columns of errors, or in rows of exponentials."""
    words = (re.match(r"(?:exp2 of pairs |exp2 |tanh )?(\w+)", column).group(1) for column in columns)
    return [word for word in distinct(words) if word != "naive"]


def note_processor(processors, what, columns, name):
    """Puts on record where the figures of these columns or rows come from."""
    for backend in backends_of(columns):
        processors.setdefault(backend, {PROCESSORS[0]: backend})[what] = name


def add_printed(measured, processors, file, machine):
    """Adds what another machine printed of short shapes on backends that were not measured here."""
    lines = pathlib.Path(file).read_text(errors="replace").splitlines()
    found = {key: error for key, error in errors_in(lines).items() if key not in measured}
    for backend in backends_of(key[3] for key in found):
        longer = processors.get(backend, {}).get(PROCESSORS[1], "").partition("; long shapes: ")
        note_processor(processors, PROCESSORS[1], [backend], f"{machine}; long shapes: {longer[2] or longer[0]}")
    measured |= found


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


def document(processors, errors, exponentials):
    rows = [[row.get(column, "") for column in PROCESSORS] for row in processors.values()]
    lines = ["### Where the figures come from", "", *table(PROCESSORS, rows, len(PROCESSORS)), ""]
    lines += [f"### {EXPONENTIALS}", "", *table(COLUMNS, exponentials.values(), 1), "", *errors_tables(errors)]
    return "\n".join(lines)


def judge(measured, recorded):
    passed = failed = 0
    for key, error in measured.items():
        record = recorded.get(key)
        name = ", ".join(key)
        if record is None:
            print(f"FAILED  {name}: {error:.1e}, not on record")
            failed += 1
        elif error > FACTOR * max(record, ROUNDING.get(key[1], 0)):
            print(f"FAILED  {name}: {error:.1e}, {error / record:.2f} times the {record:.1e} on record")
            failed += 1
        else:
            passed += 1
            if error * FACTOR < record:
                print(f"better  {name}: {error:.1e}, {record:.1e} on record")
    here = backends_of(key[3] for key in measured)
    elsewhere = [name for name in backends_of(key[3] for key in recorded) if name not in here]
    if elsewhere:
        print(f"not measured here: {', '.join(elsewhere)}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


def main():
    if sys.argv[1:] == ["--part"]:
        print(PART)
        return 0
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("document", type=pathlib.Path)
    parser.add_argument("runner")
    parser.add_argument("emulated", nargs="*", help="an emulator and its runner")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--exponentials", action="store_true")
    parser.add_argument("--printed", nargs=2, metavar=("FILE", "MACHINE"))
    options = parser.parse_args()

    _, text, _ = split_at(options.document, BEGIN, END)
    recorded = recorded_errors(text)
    if options.check:
        return judge(errors_of([options.runner], EVERY if options.long else PART), recorded)

    runs = [([options.runner], EVERY, None, processor())]
    if options.emulated:
        runs.append((options.emulated, PART, "neon", emulator(options.emulated[0])))
    processors, exponentials = recorded_processors(text), recorded_exponentials(text)
    measured = {}
    for command, scale, backend, where in runs:
        found = {key: error for key, error in errors_of(command, scale, backend).items() if key not in measured}
        note_processor(processors, PROCESSORS[1], (key[3] for key in found), where)
        measured |= found
        if options.exponentials:
            rows = exponentials_of(command, scale, backend)
            note_processor(processors, PROCESSORS[2], rows, where)
            exponentials |= rows
    if options.printed:
        add_printed(measured, processors, *options.printed)
    # What this machine cannot run stays as it was, as far as there still is such a row.
    shapes = {key[:3] for key in measured}
    kept = {key: error for key, error in recorded.items() if key[:3] in shapes}
    rewrite(options.document, BEGIN, END, document(processors, kept | measured, exponentials))
    return 0


if __name__ == "__main__":
    sys.exit(main())
