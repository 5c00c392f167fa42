#!/usr/bin/env python3
"""Sums up a run of `meson test`: how many single checks passed and failed over all of Check's suites.

usage: check_results.py TESTLOG_JSON

Prints "N passed, N failed". A suite that ended without Check's own count is one check; one that died after counting adds
a failure.
"""

import json
import pathlib
import re
import sys

COUNT = re.compile(r"^\d+%: Checks: (\d+), Failures: (\d+), Errors: (\d+)$", re.MULTILINE)


def main():
    log = pathlib.Path(sys.argv[1])
    passed = failed = 0
    for line in log.read_text().splitlines():
        test = json.loads(line)
        if test["result"] == "SKIP":
            continue
        counts = [tuple(map(int, count)) for count in COUNT.findall(test.get("stdout", ""))]
        bad = sum(failures + errors for _, failures, errors in counts)
        good = sum(checks for checks, _, _ in counts) - bad
        if test["result"] != "OK" and bad == 0:
            bad = 1
        elif not counts:
            good = 1
        passed += good
        failed += bad
    print(f"{passed} passed, {failed} failed")


if __name__ == "__main__":
    main()
