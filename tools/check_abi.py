#!/usr/bin/env python3
"""Judges what abidiff says between the binary interface on record and that of this build.

usage: check_abi.py RECORD NEW   both as abidw writes them

Allowed are new functions, new enumerators, and new members of structs at or behind the end that the struct had: callers
tell that end in struct_size. A member in what was padding is not: an old caller's padding holds anything.
"""

import re
import subprocess
import sys

# Lines that lead to a change, or are an addition.
HARMLESS = re.compile(
    r"""^(
        (Functions|Variables)\ changes\ summary:\ 0\ Removed,.*
      | (Function|Variable)\ symbols\ changes\ summary:\ 0\ Removed,.*
      | \d+\ (Added\ (function|variable)|(function|variable)s?\ with\ some\ indirect\ sub-type\ change)s?:
      | \[A\]\ '.*
      | \[C\]\ '.*'\ has\ some\ indirect\ sub-type\ changes:
      | (parameter\ \d+|return\ type|type)\ .*(has|changed).*changes?:
      | in\ (pointed\ to|unqualified\ underlying|referenced)\ type\ .*:
      | underlying\ type\ .*\ changed(:|,\ as\ (reported|being\ reported).*)
      | \d+\ data\ member\ insertions?:
      | details\ (were|are\ being)\ reported.*
    )$""",
    re.VERBOSE,
)
SIZE = re.compile(r"^type size changed from (\d+) to \d+ \(in bits\)$")
MEMBER = re.compile(r"^'.*', at offset (\d+) \(in bits\)$")


def objections(report):
    """Lines that no old caller of the library survives."""
    end = None
    for line in map(str.strip, report.splitlines()):
        size, member = SIZE.match(line), MEMBER.match(line)
        if line.startswith("underlying type") or line.startswith("in pointed to type"):
            end = None
        if size:
            end = int(size[1])
        elif member:
            if end is None or int(member[1]) < end:
                yield line
        elif line and not HARMLESS.match(line):
            yield line


def main():
    record, new = sys.argv[1:]
    result = subprocess.run(["abidiff", record, new], capture_output=True, text=True)
    failed, incompatible = result.returncode & 3, result.returncode & 8
    refused = list(objections(result.stdout))
    if failed or incompatible or refused:
        print(result.stdout, result.stderr)
        print("\n".join(f"incompatible: {line}" for line in refused))
        sys.exit(1)
    print("additions only: put them on record" if result.returncode else "as on record")


if __name__ == "__main__":
    main()
