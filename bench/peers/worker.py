"""A process with one program under test, or with the probes of the machine's limits: does what the coordinator asks.

usage: worker.py NAME --threads N --build FOLDER --region-bytes N
"""

import argparse
import gc
import pathlib
import time

import numpy as np

import protocol
import tensors
from peer import Peer, Prepared, Unsupported
from shapes import Shape

# A shorter call is timed together with others.
LEAST_TIMED = 1e-3
# Longer ones need no warming up, for what they read does not stay in a cache.
WARM_SECONDS = 5e-2
LONG_SECONDS = 3e-1
LEAST_CALLS = 2


def make_peer(name: str, threads: int, build: pathlib.Path) -> Peer:
    """Imports one program only: each brings threads and settings of its own."""
    if name in ("fovea", "fovea-fused"):
        import peer_fovea

        exp = "fused" if name == "fovea-fused" else "default"
        return peer_fovea.Peer(threads, build / "src" / "libfovea.so", exp)
    if name == "torch":
        import peer_torch

        return peer_torch.Peer(threads)
    if name == "onnxruntime":
        import peer_onnxruntime

        return peer_onnxruntime.Peer(threads)
    if name == "openvino":
        import peer_openvino

        return peer_openvino.Peer(threads)
    raise ValueError(f"no peer {name}")


class PeerWorker:
    def __init__(self, name: str, threads: int, build: pathlib.Path) -> None:
        self.peer = make_peer(name, threads, build)
        self.threads = threads
        self.clock = time.perf_counter
        self.prepared: Prepared | None = None
        self.turn = 0
        # Of one call, as the last slice had it.
        self.estimate = 0.0

    def hello(self) -> dict:
        return {"versions": self.peer.versions, "words": {}}

    def prepare(self, shape: dict, copies: int) -> dict:
        self.release()
        problem = Shape(**shape)
        self.clock = time.process_time if problem.cpu_time(self.threads) else time.perf_counter
        try:
            self.prepared = self.peer.prepare(problem, tensors.make(problem, copies))
        except Unsupported as reason:
            return {"unsupported": str(reason)}
        # Every copy once, for what programs do at their first call.
        for _ in self.prepared.calls:
            self.estimate = self.timed(1)
        return {}

    def timed(self, times: int) -> float:
        """Seconds of one of so many calls."""
        calls, turn = self.prepared.calls, self.turn
        begin = self.clock()
        for _ in range(times):
            calls[turn]()
            turn = turn + 1 if turn + 1 < len(calls) else 0
        seconds = (self.clock() - begin) / times
        self.turn = turn
        return seconds

    def measure(self, seconds: float) -> dict:
        """The best of as many calls as fit. Others have used the caches since the last slice."""
        if self.estimate < WARM_SECONDS:
            self.estimate = self.timed(1)
            self.estimate = min(self.estimate, self.timed(1))
        times = max(1, int(LEAST_TIMED / max(self.estimate, 1e-9)))
        gc.disable()
        end = time.perf_counter() + seconds
        best = self.timed(times)
        taken = 1
        while time.perf_counter() < end or (taken < LEAST_CALLS and best < LONG_SECONDS):
            best = min(best, self.timed(times))
            taken += 1
        gc.enable()
        self.estimate = best
        return {"seconds": best}

    def output(self, path: str) -> dict:
        self.timed(1)
        np.save(path, self.prepared.output())
        return {}

    def release(self) -> dict:
        self.prepared = None
        self.turn = 0
        gc.collect()
        return {}


class LimitsWorker:
    def __init__(self, threads: int, build: pathlib.Path, region_bytes: int) -> None:
        import limits

        self.threads = threads
        self.limits = limits.Limits(build / "bench" / "libbench-limits.so", threads, region_bytes)
        self.probe = self.limits.read
        self.limit = "bandwidth"

    def hello(self) -> dict:
        return {"versions": {}, "words": self.limits.words()}

    def prepare(self, shape: dict, copies: int) -> dict:
        problem = Shape(**shape)
        self.limit = "bandwidth" if problem.decode else "peak"
        self.probe = self.limits.read if problem.decode else self.limits.multiply_add
        self.limits.cpu_time = problem.cpu_time(self.threads)
        return {}

    def measure(self, seconds: float) -> dict:
        end = time.perf_counter() + seconds
        best = self.probe()
        while time.perf_counter() < end:
            best = max(best, self.probe())
        return {self.limit: best}

    def release(self) -> dict:
        return {}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name")
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--region-bytes", type=int, required=True)
    options = parser.parse_args()

    stream = protocol.reply_stream()
    if options.name == "limits":
        worker = LimitsWorker(options.threads, options.build, options.region_bytes)
    else:
        worker = PeerWorker(options.name, options.threads, options.build)
    for request in protocol.requests():
        do = request.pop("do")
        if do == "quit":
            break
        try:
            protocol.reply(stream, getattr(worker, do)(**request))
        except Exception as error:  # noqa: BLE001 - whatever a program raises is the coordinator's to judge
            protocol.reply(stream, {"error": f"{type(error).__name__}: {str(error).splitlines()[0]}"
                                    if str(error) else type(error).__name__})


if __name__ == "__main__":
    main()
