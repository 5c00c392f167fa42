"""Programs that execute fovea-count instruction by instruction, and count.

Both pretend to be one processor, whatever the machine's: the library's dispatcher and the C library's choice among its
copies see the same everywhere.
"""

import pathlib
import re
import subprocess
import tempfile

# Nothing of the caller's environment decides; and the loader resolves functions before main, not in the first call.
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "LD_BIND_NOW": "1"}

# fovea-count's exit status where the processor does not run the backend.
NOT_HERE = 3


class NotHere(Exception):
    """The backend does not run on this machine, in the words of fovea-count."""


def run(*command):
    result = subprocess.run([str(part) for part in command], env=ENVIRONMENT, capture_output=True, text=True)
    if result.returncode == NOT_HERE:
        raise NotHere(next(line for line in result.stderr.splitlines() if line.startswith("fovea-count: ")))
    if result.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))}: exit status {result.returncode}\n{result.stderr}")
    return result


def first_line(*command):
    return run(*command).stdout.splitlines()[0]


def number(pattern, text):
    found = re.search(pattern, text, re.MULTILINE)
    if not found or int(found.group(1)) == 0:
        raise SystemExit(f"no instructions were counted: no line {pattern!r} in\n{text}")
    return int(found.group(1))


class Callgrind:
    """Valgrind has no AVX-512, and AVX2 where the machine has it. It counts fovea_execute and what that calls."""

    def __init__(self, program, _plugin):
        self.program = program

    def about(self):
        return "callgrind of " + first_line("valgrind", "--version")

    def plain(self, option):
        """What the program prints, not counted."""
        return run(self.program, option).stdout

    def trace(self, backend, case, file):
        return run("valgrind", "--tool=callgrind", "--toggle-collect=fovea_execute", f"--callgrind-out-file={file}",
                   self.program, backend, case, 0)

    def count(self, backend, case):
        """Instructions of one call, and its useful multiply-adds."""
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "counts"
            result = self.trace(backend, case, file)
            return number(r"^totals: (\d+)$", file.read_text()), int(result.stdout)

    def functions(self, backend, case):
        """The functions that the instructions are in, as lines of text."""
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "counts"
            self.trace(backend, case, file)
            listing = run("callgrind_annotate", "--auto=no", "--threshold=99.9", file).stdout
        return [re.sub(r" \[.*\]$", "", line) for line in listing.splitlines() if re.match(r" *[\d,]+ *\(", line)]


class Qemu:
    """QEMU's user mode with bench/count_plugin.c. It counts the whole program: a call is the difference between two
    runs, of which one makes one call more."""

    command = ("qemu-aarch64", "-L", "/", "-cpu", "cortex-a57")

    def __init__(self, program, plugin):
        self.program = program
        self.plugin = plugin

    def about(self):
        version = re.search(r"version (\S+)", first_line("qemu-aarch64", "--version")).group(1)
        return f"plugin of QEMU {version}"

    def plain(self, option):
        return run(*self.command, self.program, option).stdout

    def count(self, backend, case):
        totals = []
        for runs in (0, 1):
            result = run(*self.command, "-d", "plugin", "-plugin", self.plugin, self.program, backend, case, runs)
            totals.append(number(r"^instructions: (\d+)$", result.stderr))
        return totals[1] - totals[0], int(result.stdout)

    def functions(self, _backend, _case):
        return ["QEMU's plugin counts no functions"]
