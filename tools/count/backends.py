"""Whose instructions are counted, and under what."""

import dataclasses

import emulators


@dataclasses.dataclass(frozen=True)
class Backend:
    name: str
    # As ELF files and Meson have it.
    architecture: str
    # Multiply-adds of the widest instruction that the backend is compiled for: what "a vector" is in the figures.
    lanes: int
    emulator: type


BACKENDS = (
    # Portable C, which the compiler vectorises for the baseline, SSE2.
    Backend("generic", "x86_64", 4, emulators.Callgrind),
    Backend("avx2", "x86_64", 8, emulators.Callgrind),
    Backend("neon", "aarch64", 4, emulators.Qemu),
)

# Counts are exact; this is for what a compiler's other version does, not for noise.
TOLERANCE = 0.02

# Sums over cases, by patterns of their names.
ALL = "in all"
SUMS = {
    "prefill": ("*/dense/*", "*/causal/*", "*/chunk/*"),
    "decoding": ("*/decode/*", "*/tiny/*"),
    ALL: ("*",),
}

# Instructions beside the useful FMAs, an FMA, in all cases together: the first backend's may be so many times the second's.
OVERHEAD = ("neon", "avx2", 1.15)
