#!/usr/bin/env python3
"""Checks the symbols of the built libraries.

usage: check_symbols.py SHARED_LIBRARY STATIC_LIBRARY

The shared library exports fovea_* only. Hidden visibility means nothing inside an archive, so there every other name
begins with fv_. Neither may call what a library must not: nothing that prints, nothing that ends the process.
"""

import re
import subprocess
import sys

FORBIDDEN = re.compile(r"(abort|_?_?exit|quick_exit|__assert_fail|v?f?printf|__v?f?printf_chk|f?puts|f?putc|putchar|perror|"
                       r"fwrite|write|stdout|stderr|raise|signal|sigaction)$")


def names(*arguments):
    listing = subprocess.run(["nm", "--format=posix", *arguments], check=True, capture_output=True, text=True).stdout
    return {line.split()[0].split("@")[0] for line in listing.splitlines() if len(line.split()) > 1}


def main():
    shared, static = sys.argv[1:]
    exported = names("--dynamic", "--defined-only", shared)
    internal = names("--extern-only", "--defined-only", static)
    used = names("--dynamic", "--undefined-only", shared) | names("--extern-only", "--undefined-only", static)
    failures = [f"{shared} exports {name}" for name in sorted(exported) if not name.startswith("fovea_")]
    failures += [f"{static} defines {name}" for name in sorted(internal) if not name.startswith(("fovea_", "fv_"))]
    failures += [f"the library uses {name}" for name in sorted(used) if FORBIDDEN.match(name)]
    if not exported or not internal:
        failures.append("a library without symbols")
    print("\n".join(failures) or f"{len(exported)} symbols exported, {len(internal)} in the archive")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
