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

import dataclasses
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


# ---- Instructions ----

ASSEMBLER_ERROR = re.compile(r"^\{standard input\}:(\d+): Error: (.*)")
# The disassembler's remarks: "<function+0x10>" after an address, "# ..." or "// ..." after anything.
REMARK = re.compile(r"\s*(<.*>|# .*|//.*)")

# What an x86-64 object may hold, by the library that it is compiled for; the baseline for every other one.
AVX2 = "+avx2+fma+f16c"
AVX512 = AVX2 + "+avx512f+avx512bw+avx512dq+avx512vl"
ALLOWED = {
    "libfovea-avx2.a.p": AVX2,
    "libfovea-avx512.a.p": AVX512,
    "libfovea-avx512vnni.a.p": AVX512 + "+avx512_vnni",
    "libfovea-avx512bf16.a.p": AVX512 + "+avx512_bf16",
    "libfovea-amxbf16.a.p": AVX512 + "+avx512_vnni+avx512_bf16+amx_tile+amx_bf16+amx_int8",
}


@dataclasses.dataclass(frozen=True)
class Architecture:
    # What the assembler is told to accept.
    base: str
    # Instructions whose last operand is a distance, which does not matter, but would be out of range elsewhere.
    far: re.Pattern
    # Allowed anywhere, though the assembler wants more than the base for their names.
    anywhere: frozenset

    def option(self, path):
        return self.base + next((ALLOWED[part] for part in path.parts if part in ALLOWED), "")


ARCHITECTURES = {
    # Asking the processor; hints; and TZCNT, which gcc writes for BSF because older processors ignore its prefix.
    "x86_64": Architecture("-march=generic64", re.compile(r"(call|j[a-z]+|loop)q?$"),
                           frozenset({"cpuid", "xgetbv", "endbr64", "nop", "nopw", "nopl", "tzcnt"})),
    # Hints that execute as nothing where they are not known.
    "aarch64": Architecture("-march=armv8-a", re.compile(r"(b|bl|b\..*|cbn?z|tbn?z|adrp?)$"),
                            frozenset({"bti", "paciasp", "autiasp", "pacibsp", "autibsp", "xpaclri"})),
}


def check_instructions(path, architecture):
    """The first offending instruction, or None, and how many instructions were looked at."""
    rules = ARCHITECTURES[architecture]
    places = {}
    count = 0
    for function, line, mnemonic, operands in instructions(path, architecture):
        count += 1
        operands = REMARK.sub("", operands)
        if rules.far.match(mnemonic):
            operands = re.sub(r"\b[0-9a-f]+$", ".", operands)
        if mnemonic not in rules.anywhere:
            places.setdefault(f"{mnemonic} {operands}", f"{path}: {function}: {line}")
    option = rules.option(path)
    assembled = subprocess.run([tool("as", architecture), option, "-o", "/dev/null", "-"],
                               input="\n".join(places) + "\n", capture_output=True, text=True)
    for message in assembled.stderr.splitlines():
        found = ASSEMBLER_ERROR.match(message)
        if found:
            return f"{list(places.values())[int(found.group(1)) - 1]} ({option}: {found.group(2)})", count
    return f"{path}: {assembled.stderr.strip()}" if assembled.returncode != 0 else None, count


# ---- What runs by itself ----

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
    if len(architectures) != 1 or not architectures <= ARCHITECTURES.keys():
        print(f"{build}: no objects to check, or of {', '.join(sorted(architectures)) or 'no machine'}")
        return 1
    architecture = architectures.pop()
    failures = []
    total = 0
    for path in paths:
        failure, count = check_instructions(path, architecture)
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
