"""Hands out the rounds: in each, the probes of the limits and every program measure a short slice, one after the other,
while the rest waits. What slows the machine down for a while slows all of them."""

import dataclasses
import pathlib
import statistics
import sys
import tempfile
import time

import numpy as np

import limits
from protocol import Channel, Failed
from shapes import Shape

# Workers, in the order of a round and of the columns: (name, as a reader knows it).
PEERS = (("fovea", "fovea"), ("fovea-fused", "fovea, fused"), ("torch", "PyTorch"),
         ("onnxruntime", "ONNX Runtime"), ("openvino", "OpenVINO"))
# What a ratio to the best peer is taken over.
OTHERS = ("torch", "onnxruntime", "openvino")

# Largest difference from fovea's result, relative to the largest magnitude of that: a few roundings of the type, and
# probabilities rounded to it.
TOLERANCES = {"f32": 1e-4, "f16": 1e-2, "bf16": 4e-2, "int8": 1e-4}

# OpenMP's threads wait actively for a moment after their work; the next slice begins when they sleep.
SETTLE_SECONDS = 1e-2


@dataclasses.dataclass(frozen=True)
class Effort:
    rounds: int
    slice_seconds: float
    # What a decoding case must read before it reads the same again.
    memory_bytes: int


class Coordinator:
    def __init__(self, build: pathlib.Path, threads: int, effort: Effort, log: pathlib.Path) -> None:
        self.effort = effort
        self.log = log.open("wb")
        self.failures: list[str] = []
        worker = pathlib.Path(__file__).with_name("worker.py")
        options = ["--threads", str(threads), "--build", str(build), "--region-bytes", str(effort.memory_bytes // 2)]
        names = ["limits", *(name for name, _ in PEERS)]
        self.channels = {name: Channel(name, [sys.executable, str(worker), name, *options], threads, self.log)
                         for name in names}
        self.versions: dict[str, str] = {}
        self.words: dict[str, str] = {}
        for channel in self.channels.values():
            answer = channel.ask(do="hello")
            self.versions.update(answer["versions"])
            self.words.update(answer["words"])

    def __enter__(self) -> "Coordinator":
        return self

    def __exit__(self, *_) -> None:
        for channel in self.channels.values():
            channel.close()
        self.log.close()

    def prepare(self, shape: Shape) -> dict[str, str]:
        """All at once. Returns why some can not."""
        refused = {}
        for name, channel in self.channels.items():
            if channel.process.poll() is None:
                channel.send(do="prepare", shape=dataclasses.asdict(shape), copies=shape.copies(self.effort.memory_bytes))
            else:
                refused[name] = f"{name} has ended"
        for name in [name for name in self.channels if name not in refused]:
            answer = self.attempt(shape, name, refused, self.channels[name].receive)
            if answer and "unsupported" in answer:
                refused[name] = answer["unsupported"]
        return refused

    def attempt(self, shape: Shape, name: str, refused: dict[str, str], ask, *arguments):
        """A program's failure is a figure that is missing, and an error at the end; the others go on."""
        try:
            return ask(*arguments)
        except Failed as error:
            if name == "limits":
                raise
            refused[name] = str(error)
            self.failures.append(f"{shape.name}: {error}")
            return None

    def measure(self, shape: Shape) -> dict:
        """The raw figures of a problem."""
        refused = self.prepare(shape)
        limit = "bandwidth" if shape.decode else "peak"
        limits_seen = []
        seconds: dict[str, list[float]] = {name: [] for name, _ in PEERS}
        for _ in range(self.effort.rounds):
            limits_seen.append(self.slice("limits")[limit])
            for name, taken in seconds.items():
                answer = None if name in refused else self.attempt(shape, name, refused, self.slice, name)
                if answer:
                    taken.append(answer["seconds"])
        limits_seen.append(self.slice("limits")[limit])
        errors = self.compare(shape, refused)
        for channel in self.channels.values():
            if channel.process.poll() is None:
                channel.ask(do="release")
        return {
            "shape": dataclasses.asdict(shape),
            "flops": shape.flops,
            "kv_bytes": shape.kv_bytes,
            "copies": shape.copies(self.effort.memory_bytes),
            "limit": limit,
            "limits": limits_seen,
            "peers": {name: self.summary(shape, name, seconds, limits_seen, refused, errors) for name, _ in PEERS},
        }

    def slice(self, name: str) -> dict:
        answer = self.channels[name].ask(do="measure", seconds=self.effort.slice_seconds)
        time.sleep(SETTLE_SECONDS)
        return answer

    def summary(self, shape: Shape, name: str, seconds: dict, limits_seen: list[float], refused: dict,
                errors: dict) -> dict:
        if name in refused:
            return {"unsupported": refused[name]}
        work = shape.kv_bytes if shape.decode else shape.flops
        # Each round against the limits before and after it.
        shares = [work / taken / ((limits_seen[i] + limits_seen[i + 1]) / 2) for i, taken in enumerate(seconds[name])]
        return {
            "rounds": seconds[name],
            "seconds": statistics.median(seconds[name]),
            "share": statistics.median(shares),
            **errors.get(name, {}),
        }

    def compare(self, shape: Shape, refused: dict[str, str]) -> dict[str, dict]:
        """The largest difference of each result from fovea's own, which comes first."""
        found: dict[str, dict] = {}
        reference = None
        with tempfile.TemporaryDirectory() as folder:
            for name in [name for name, _ in PEERS if name not in refused]:
                path = pathlib.Path(folder) / f"{name}.npy"
                if self.attempt(shape, name, refused, self.save, name, path) is None:
                    continue
                result = np.load(path)
                if name == "fovea":
                    reference = result
                elif reference is not None:
                    error = float(np.max(np.abs(result - reference)))
                    bound = TOLERANCES[shape.type] * float(np.max(np.abs(reference)))
                    # A NaN is no match.
                    found[name] = {"max_abs_error": error, "bound": bound, "mismatch": not error <= bound}
        return found

    def save(self, name: str, path: pathlib.Path) -> dict:
        return self.channels[name].ask(do="output", path=str(path))


def full_effort() -> Effort:
    return Effort(rounds=7, slice_seconds=0.12, memory_bytes=limits.memory_bytes())


def quick_effort() -> Effort:
    return Effort(rounds=1, slice_seconds=0.01, memory_bytes=1 << 20)
