"""The machine's limits, measured by the benchmarks' own probes (bench/probe.h)."""

import ctypes
import os
import pathlib
from ctypes import c_char_p, c_double, c_int32, c_int64, c_size_t, c_uint32, c_void_p

import numpy as np

from tensors import aligned

# Several times the largest last-level cache, or so much.
LEAST_BYTES = 256 << 20
MOST_BYTES = 1 << 30
CACHES = 4

# bench_clock of bench/clock.h.
THREAD_CLOCK, WALL_CLOCK = 0, 1
SLICE_SECONDS = 5e-3


def cache_bytes() -> int:
    """The largest cache of the first processor; 0 if the system does not tell."""
    largest = 0
    for path in pathlib.Path("/sys/devices/system/cpu/cpu0/cache").glob("index*/size"):
        text = path.read_text().strip()
        factor = {"K": 1 << 10, "M": 1 << 20}.get(text[-1:], 1)
        largest = max(largest, int(text.rstrip("KM")) * factor)
    return largest


def memory_bytes() -> int:
    """How much a decoding case must read before it reads the same again."""
    return min(max(LEAST_BYTES, CACHES * cache_bytes()), MOST_BYTES)


class Probe(ctypes.Structure):
    _fields_ = [("name", c_char_p), ("features", c_uint32), ("lanes", c_int32), ("chains", c_int32),
                ("multiply_add", c_void_p), ("read", c_void_p)]


class ReadPattern(ctypes.Structure):
    _fields_ = [("probe", ctypes.POINTER(Probe)), ("chunk", c_size_t), ("ahead", c_size_t)]


class Regions(ctypes.Structure):
    _fields_ = [("a", c_void_p), ("b", c_void_p), ("bytes", c_size_t)]


class Limits:
    def __init__(self, library: pathlib.Path, threads: int, region_bytes: int) -> None:
        self.threads = threads
        # Whether the multiply-adds are timed by CPU time.
        self.cpu_time = threads == 1
        self.library = ctypes.CDLL(str(library))
        self.library.bench_probe_widest.restype = ctypes.POINTER(Probe)
        self.library.bench_multiply_add_rate.restype = c_double
        self.library.bench_multiply_add_rate.argtypes = [ctypes.POINTER(Probe), c_int32, c_int64, c_int32]
        self.library.bench_read_rate.restype = c_double
        self.library.bench_read_best.restype = ReadPattern
        self.probe = self.library.bench_probe_widest()
        self.times = self.find_times()

        self.memory = [aligned((region_bytes,), np.dtype(np.uint8)) for _ in range(2)]
        self.regions = Regions(*(array.ctypes.data for array in self.memory), region_bytes)
        self.pattern = self.library.bench_read_best(ctypes.byref(self.regions), threads, 3)

    def find_times(self) -> int:
        """Steps of a slice; the first ones wake the processor up."""
        rate = max(self.multiply_add(10_000) for _ in range(20))
        steps = rate * SLICE_SECONDS / (2 * self.probe[0].lanes * self.probe[0].chains * self.threads)
        return max(1, int(steps))

    def multiply_add(self, times: int = 0) -> float:
        """FLOP/s."""
        return self.library.bench_multiply_add_rate(self.probe, self.threads, times or self.times,
                                                    THREAD_CLOCK if self.cpu_time else WALL_CLOCK)

    def read(self) -> float:
        """Bytes a second."""
        return self.library.bench_read_rate(ctypes.byref(self.pattern), ctypes.byref(self.regions), self.threads)

    def words(self) -> dict[str, str]:
        text = ctypes.create_string_buffer(256)
        self.library.bench_read_describe(ctypes.byref(self.pattern), text, c_size_t(len(text)))
        return {"fma": self.probe[0].name.decode(), "read": text.value.decode(),
                "pages": pages(), "processors": str(len(os.sched_getaffinity(0)))}


def pages() -> str:
    """NumPy asks for huge pages; whether it gets them is the system's choice."""
    path = pathlib.Path("/sys/kernel/mm/transparent_hugepage/enabled")
    text = path.read_text() if path.exists() else ""
    return "huge pages" if "[madvise]" in text or "[always]" in text else "small pages"
