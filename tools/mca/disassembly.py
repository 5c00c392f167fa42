"""A static library's functions as lists of instructions."""

import dataclasses
import re
import subprocess

OBJDUMP = "llvm-objdump-22"
# Names of object file formats, as the disassembler prints them, and LLVM's of the architecture.
FORMATS = {"elf64-x86-64": "x86_64", "elf64-littleaarch64": "aarch64"}

FUNCTION = re.compile(r"[0-9a-f]+ <(.+)>:$")
INSTRUCTION = re.compile(r"\s*([0-9a-f]+):\s+(\S+)\s*(.*)$")
COMMENT = re.compile(r"\s+(# |//).*$")
TARGET = re.compile(r"0x([0-9a-f]+) <[^>]*>")
OPERAND = re.compile(r"(?:\([^)]*\)|\{[^}]*\}|\[[^\]]*\]|[^,])+")


@dataclasses.dataclass(frozen=True)
class Instruction:
    address: int
    mnemonic: str
    operands: tuple
    # Where a direct jump or branch goes to, else None.
    target: int | None

    def text(self):
        """The instruction for an assembler; every target is the same label."""
        return f"{self.mnemonic} {TARGET.sub('loop_head', ', '.join(self.operands))}".rstrip()


@dataclasses.dataclass
class Function:
    name: str
    architecture: str
    instructions: list


def parse_instruction(line):
    found = INSTRUCTION.match(line)
    if not found:
        return None
    address, mnemonic, operands = found.groups()
    operands = COMMENT.sub("", operands)
    target = TARGET.search(operands)
    return Instruction(
        int(address, 16),
        mnemonic,
        tuple(operand.strip() for operand in OPERAND.findall(operands)),
        int(target.group(1), 16) if target else None,
    )


def functions(library):
    """The functions of a static library, in the order of its objects."""
    command = [OBJDUMP, "-d", "--no-show-raw-insn", str(library)]
    listing = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = []
    architecture = None
    for line in listing.splitlines():
        if "file format " in line:
            architecture = FORMATS[line.rsplit(" ", 1)[1]]
        elif start := FUNCTION.match(line):
            found.append(Function(start.group(1), architecture, []))
        elif found and (instruction := parse_instruction(line)):
            found[-1].instructions.append(instruction)
    return found
