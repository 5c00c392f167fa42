"""The name of this machine's processor, as figures have it."""

import pathlib
import platform


def processor():
    """This machine's processor: the name is often a family's, which the model's number tells apart."""
    facts = {}
    for line in pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition(":")
        facts.setdefault(name.strip(), value.strip())
    if "model name" in facts:
        return f"{facts['model name']}, family {facts.get('cpu family')}, model {facts.get('model')}"
    return f"{platform.machine()}, part {facts.get('CPU part', 'unknown')}"
