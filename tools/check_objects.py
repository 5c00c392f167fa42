#!/usr/bin/env python3
"""Checks that no object file holds x86 instructions beyond what it may be run on.

usage: check_objects.py BUILD_DIR

Every object of arch/, src/ and tools/ must be free of AVX, except those of a backend's own library, which may use that
backend's instructions. An inline function of a shared header, compiled into a backend's object first, or a flag in the
wrong place would otherwise end as an illegal instruction on somebody else's processor.
"""

import pathlib
import re
import subprocess
import sys

# What an object may hold, by the library that it is compiled for; baseline for every other one.
BASELINE, AVX2, AVX512 = range(3)
ALLOWED = {
    "libfovea-avx2.a.p": AVX2,
    "libfovea-avx512.a.p": AVX512,
    "libfovea-avx512bf16.a.p": AVX512,
}
NAMES = {BASELINE: "baseline x86-64", AVX2: "AVX2", AVX512: "AVX-512"}

INSTRUCTION = re.compile(r"^\s*[0-9a-f]+:\t(?:(?:rep|repz|repnz|lock|data16|notrack|bnd|cs|ds|\{\w+\}) )*(\S+)\s*(.*)")
# Every VEX or EVEX instruction on vector registers begins with a v; these older ones do too.
OLD_V_INSTRUCTIONS = {"verr", "verw"}
MASK_INSTRUCTION = re.compile(r"k(add|and|andn|mov|not|or|ortest|shiftl|shiftr|test|unpck\w\w|xnor|xor)[bwdq]$")
GENERAL_VEX_INSTRUCTION = re.compile(r"(andn|bextr|blsi|blsmsk|blsr|bzhi|mulx|pdep|pext|rorx|sarx|shlx|shrx)[lq]?$")
EVEX_OPERAND = re.compile(r"%zmm|%[xy]mm(1[6-9]|2\d|3[01])\b|%k[0-7]\b|\{1to\d+\}")


def level(mnemonic, operands):
    if EVEX_OPERAND.search(operands) or MASK_INSTRUCTION.match(mnemonic):
        return AVX512
    if mnemonic.startswith("v") and mnemonic not in OLD_V_INSTRUCTIONS:
        return AVX2
    if GENERAL_VEX_INSTRUCTION.match(mnemonic):
        return AVX2
    return BASELINE


def check(path):
    """The first offending instruction with its function, or None, and how many instructions were looked at."""
    allowed = max((ALLOWED[part] for part in path.parts if part in ALLOWED), default=BASELINE)
    listing = subprocess.run(["objdump", "-d", "--no-show-raw-insn", str(path)], check=True, capture_output=True, text=True)
    function = "?"
    count = 0
    for line in listing.stdout.splitlines():
        if line.endswith(">:"):
            function = line.split("<", 1)[1][:-2]
            continue
        found = INSTRUCTION.match(line)
        if not found:
            continue
        count += 1
        if level(*found.groups()) > allowed:
            return f"{path}: {function}: {line.strip()} (only {NAMES[allowed]} allowed)", count
    return None, count


def main():
    build = pathlib.Path(sys.argv[1])
    paths = sorted(path for folder in ("arch", "src", "tools") for path in (build / folder).glob("**/*.o"))
    beyond = sum(any(part in ALLOWED for part in path.parts) for path in paths)
    failures = []
    total = 0
    for path in paths:
        failure, count = check(path)
        total += count
        if failure:
            failures.append(failure)
    print("\n".join(failures) or f"{len(paths)} objects ({beyond} may hold more than baseline), {total} instructions")
    if not paths or total == 0:
        print(f"{build}: no objects to check")
        return 1
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
