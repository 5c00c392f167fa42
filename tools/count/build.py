"""What is counted: fovea-count of a build directory."""

import dataclasses
import fnmatch
import json
import pathlib
import struct

import emulators
from backends import BACKENDS

MACHINES = {62: "x86_64", 183: "aarch64"}


@dataclasses.dataclass(frozen=True)
class Counts:
    """Of one backend, by case."""

    instructions: dict
    # Useful multiply-adds.
    work: dict
    # What they were counted with.
    setup: str
    # Why there are none, or an empty text.
    absence: str


class Build:
    def __init__(self, directory, plugin):
        self.directory = pathlib.Path(directory)
        program = self.directory / "bench/fovea-count"
        architecture = MACHINES.get(struct.unpack_from("<H", program.read_bytes(), 18)[0])
        self.emulators = {backend.name: backend.emulator(program, plugin)
                          for backend in BACKENDS if backend.architecture == architecture}
        if not self.emulators:
            raise SystemExit(f"{program}: for a machine without backends to count")

    def cases(self, pattern):
        listing = next(iter(self.emulators.values())).plain("--list").splitlines()
        return fnmatch.filter(listing, pattern)

    def about(self, emulator):
        """Emulator, compiler, libraries and build type."""
        options = json.loads((self.directory / "meson-info/intro-buildoptions.json").read_text())
        kind = next(option["value"] for option in options if option["name"] == "buildtype")
        return f"{emulator.about()}; {emulator.plain('--about').strip()}; {kind}"

    def count(self, pattern):
        """Counts by backend."""
        return {name: self.count_backend(name, emulator, pattern) for name, emulator in self.emulators.items()}

    def count_backend(self, name, emulator, pattern):
        instructions, work = {}, {}
        absence = ""
        try:
            for case in self.cases(pattern):
                instructions[case], work[case] = emulator.count(name, case)
        except emulators.NotHere as reason:
            absence = str(reason)
        return Counts(instructions, work, self.about(emulator), absence)
