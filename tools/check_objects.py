#!/usr/bin/env python3
"""Checks that no object file holds instructions beyond what it may be run on, nor runs anything by itself.

usage: check_objects.py BUILD_DIR

On x86-64, every object of arch/, src/ and tools/ must be free of AVX, except those of a backend's own library, which may
use that backend's instructions. On AArch64 nothing may need more than ARMv8.0-A, backends included. An inline function of
a shared header, compiled into a backend's object first, or a flag in the wrong place would otherwise end as an illegal
instruction on somebody else's processor.

Constructors, destructors and resolvers of indirect functions run before a backend was chosen: no object of the library
has them.
"""

import pathlib
import re
import struct
import subprocess
import sys

# ---- Files ----

MACHINES = {62: "x86_64", 183: "aarch64"}


def machine(path):
    """The architecture that an ELF file says."""
    return MACHINES.get(struct.unpack_from("<H", path.read_bytes(), 18)[0], "another machine")


def tool(name, architecture):
    """The name of a program of binutils for an architecture: the cross one, unless it is this machine's own."""
    own = subprocess.run(["uname", "-m"], check=True, capture_output=True, text=True).stdout.strip()
    return name if own == architecture else f"{architecture}-linux-gnu-{name}"


def output(*command, **options):
    return subprocess.run(command, check=True, capture_output=True, text=True, **options).stdout


INSTRUCTION = re.compile(r"^\s*[0-9a-f]+:\t(?:(?:rep|repz|repnz|lock|data16|notrack|bnd|cs|ds|\{\w+\}) )*(\S+)\s*(.*)")


def instructions(path, architecture):
    """(function, line, mnemonic, operands) of every instruction."""
    function = "?"
    for line in output(tool("objdump", architecture), "-d", "--no-show-raw-insn", str(path)).splitlines():
        if line.endswith(">:"):
            function = line.split("<", 1)[1][:-2]
            continue
        found = INSTRUCTION.match(line)
        if found:
            yield function, line.strip(), *found.groups()


ASSEMBLER_ERROR = re.compile(r"^\{standard input\}:(\d+): Error: (.*)")


def assemble(architecture, option, lines):
    """The assembler as judge of what an architecture has: the first complaint about `lines`, a dictionary from
    instructions to where they stand, or None."""
    assembled = subprocess.run([tool("as", architecture), option, "-o", "/dev/null", "-"],
                               input="\n".join(lines) + "\n", capture_output=True, text=True)
    places = list(lines.values())
    for message in assembled.stderr.splitlines():
        found = ASSEMBLER_ERROR.match(message)
        if found:
            return f"{places[int(found.group(1)) - 1]} ({option}: {found.group(2)})"
    return assembled.stderr.strip() if assembled.returncode != 0 else None


# ---- x86-64 ----

# What an object may hold, by the library that it is compiled for; x86-64's baseline for every other one.
AVX2 = "+avx2+fma+f16c"
AVX512 = AVX2 + "+avx512f+avx512bw+avx512dq+avx512vl"
ALLOWED = {
    "libfovea-avx2.a.p": AVX2,
    "libfovea-avx512.a.p": AVX512,
    "libfovea-avx512bf16.a.p": AVX512 + "+avx512_bf16",
}
# Asking the processor; hints; and TZCNT, which gcc writes for BSF because older processors ignore its prefix.
ANYWHERE = {"cpuid", "xgetbv", "endbr64", "nop", "nopw", "nopl", "tzcnt"}
JUMP = re.compile(r"(call|j[a-z]+|loop)q?$")


def check_x86_64(path):
    """The first offending instruction, or None, and how many instructions were looked at."""
    allowed = next((ALLOWED[part] for part in path.parts if part in ALLOWED), "")
    lines = {}
    count = 0
    for function, line, mnemonic, operands in instructions(path, "x86_64"):
        count += 1
        # The disassembler's remarks: "<function+0x10>" after an address, "# ..." after anything.
        operands = re.sub(r"\s*(<.*>|#.*)", "", operands)
        if JUMP.match(mnemonic) and re.match(r"[0-9a-f]+$", operands):
            operands = "."
        if mnemonic not in ANYWHERE:
            lines.setdefault(f"{mnemonic} {operands}", f"{path}: {function}: {line}")
    return assemble("x86_64", f"-march=generic64{allowed}", lines), count


# ---- AArch64 ----

# Hints that execute as nothing where they are not known; the assembler wants a newer architecture for their names.
HINTS = {"bti", "paciasp", "autiasp", "pacibsp", "autibsp", "xpaclri"}


def check_aarch64(path):
    """The same, for ARMv8.0-A."""
    lines = {}
    count = 0
    for function, line, mnemonic, operands in instructions(path, "aarch64"):
        count += 1
        # The disassembler's remarks: "<function+0x10>" after an address, "// ..." after anything.
        operands = re.sub(r"\s*(<.*>|//.*)", "", operands)
        # Distances to branch targets and pages do not matter, but would be out of range from another place.
        operands = re.sub(r"\b[0-9a-f]+$", ".", operands) if re.match(r"(b|bl|b\..*|cbn?z|tbn?z|adrp?)$", mnemonic) else operands
        if mnemonic not in HINTS:
            lines.setdefault(f"{mnemonic} {operands}", f"{path}: {function}: {line}")
    return assemble("aarch64", "-march=armv8-a", lines), count


# ---- Both ----

CHECKS = {"x86_64": check_x86_64, "aarch64": check_aarch64}
STARTUP_SECTION = re.compile(r"\s(\.(?:preinit_array|init_array|fini_array|ctors|dtors|init|fini)\S*)")


def check_startup(path, architecture):
    """What of the object would run before main or at a symbol's resolution, or None."""
    section = STARTUP_SECTION.search(output(tool("objdump", architecture), "-h", str(path)))
    if section:
        return f"{path}: section {section.group(1)} (nothing may run before a backend was chosen)"
    for line in output(tool("nm", architecture), "--format=posix", str(path)).splitlines():
        name, kind = line.split()[:2]
        if kind == "i":
            return f"{path}: {name} is an indirect function (nothing may run before a backend was chosen)"
    return None


def main():
    build = pathlib.Path(sys.argv[1])
    paths = sorted(path for folder in ("arch", "src", "tools") for path in (build / folder).glob("**/*.o"))
    architectures = {machine(path) for path in paths}
    if len(architectures) != 1 or not architectures <= CHECKS.keys():
        print(f"{build}: no objects to check, or of {', '.join(sorted(architectures)) or 'no machine'}")
        return 1
    architecture = architectures.pop()
    failures = []
    total = 0
    for path in paths:
        failure, count = CHECKS[architecture](path)
        total += count
        failures += [found for found in (failure, check_startup(path, architecture)) if found]
    beyond = sum(any(part in ALLOWED for part in path.parts) for path in paths)
    detail = f"{beyond} may hold more than baseline" if architecture == "x86_64" else "all for ARMv8.0-A"
    print("\n".join(failures) or f"{len(paths)} objects ({detail}), {total} instructions")
    if total == 0:
        print(f"{build}: no instructions")
        return 1
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
