"""The problems that are measured."""

import dataclasses
import math

# Bytes of an element.
SIZES = {"f32": 4, "f16": 2, "bf16": 2, "int8": 1}


@dataclasses.dataclass(frozen=True)
class Shape:
    name: str
    # Type of keys and values; int8 keys and values have f32 queries and a scale per row.
    type: str
    len_q: int
    len_kv: int
    dim: int
    heads: int = 2
    heads_kv: int = 0
    batch: int = 1
    causal: bool = False
    # f16 may go through bf16 instructions.
    through_bf16: bool = False
    # What a reader would call it.
    words: str = ""

    @property
    def groups(self) -> int:
        """Key/value heads."""
        return self.heads_kv or self.heads

    @property
    def decode(self) -> bool:
        return self.len_q == 1

    def cpu_time(self, threads: int) -> bool:
        """Compute-bound work on one thread is timed by the process's CPU time: what others take of the core does not
        count. Work that waits for memory, or is shared by threads, takes wall time."""
        return threads == 1 and not self.decode

    @property
    def type_q(self) -> str:
        return "f32" if self.type == "int8" else self.type

    @property
    def flops(self) -> float:
        """Useful work: two multiply-adds for every dimension of every pair that the mask allows."""
        offset = self.len_kv - self.len_q
        pairs = self.len_q * self.len_kv
        if self.causal:
            pairs = sum(min(row + offset + 1, self.len_kv) for row in range(self.len_q))
        return 4.0 * self.dim * pairs * self.heads * self.batch

    @property
    def kv_bytes(self) -> int:
        """Bytes of the keys and values, all of which a decoding step reads."""
        rows = 2 * self.batch * self.groups * self.len_kv
        return rows * (self.dim * SIZES[self.type] + (4 if self.type == "int8" else 0))

    def copies(self, memory_bytes: int) -> int:
        """Of the keys and values, which calls take in turn: decoding has so many bytes of them, and finds nothing in a
        cache."""
        return math.ceil(memory_bytes / self.kv_bytes) if self.decode else 1


def prefill(words: str, kind: str, type_: str, len_q: int, dim: int, *, len_kv: int = 0, **rest) -> Shape:
    keys = len_kv or len_q
    heads = "".join(f"{key}={rest[field]}/" for key, field in (("B", "batch"), ("H", "heads"), ("KV", "heads_kv"))
                    if field in rest)
    size = f"{len_q}x{keys}" if len_kv else f"S={len_q}"
    through = "arithmetic=bf16/" if rest.get("through_bf16") else ""
    return Shape(f"{type_}/{kind}/{through}{heads}{size}/D={dim}", type_, len_q, keys, dim, causal=kind == "causal",
                 words=words, **rest)


def decode(type_: str, heads: int, heads_kv: int, keys: int, dim: int, batch: int = 1) -> Shape:
    heads_words = f"{heads} heads" if heads == heads_kv else f"{heads} heads over {heads_kv}"
    batch_words = f"{batch} sequences, " if batch > 1 else ""
    name = f"{type_}/decode/" + (f"B={batch}/" if batch > 1 else "") + f"H={heads}/" + \
        (f"KV={heads_kv}/" if heads_kv != heads else "") + f"K={keys}/D={dim}"
    return Shape(name, type_, 1, keys, dim, heads=heads, heads_kv=heads_kv, batch=batch,
                 words=f"{type_}, {batch_words}{heads_words}, {keys} keys, D={dim}")


TABLE = (
    prefill("f32, S=1536, D=64", "dense", "f32", 1536, 64),
    prefill("f32, S=1536, D=128", "dense", "f32", 1536, 128),
    prefill("f32, causal, S=1536, D=128", "causal", "f32", 1536, 128),
    prefill("f32, causal, S=8192, D=128", "causal", "f32", 8192, 128),
    prefill("f32, causal, 8 heads over 2, S=1024, D=128", "causal", "f32", 1024, 128, heads=8, heads_kv=2),
    prefill("f32, causal, 8 sequences, 12 heads, S=128, D=64", "causal", "f32", 128, 64, batch=8, heads=12),
    prefill("f32, causal, 8 sequences, 12 heads over 3, S=128, D=64", "causal", "f32", 128, 64, batch=8, heads=12,
            heads_kv=3),
    prefill("f32, BERT: 8 sequences, 12 heads, S=128, D=64", "dense", "f32", 128, 64, batch=8, heads=12),
    prefill("f32, MiniLM: 8 sequences, 12 heads, S=128, D=32", "dense", "f32", 128, 32, batch=8, heads=12),
    prefill("f32, ViT: 12 heads, S=197, D=64", "dense", "f32", 197, 64, heads=12),
    prefill("f32, cross: 256 queries, 1536 keys, D=64", "cross", "f32", 256, 64, len_kv=1536),
    prefill("f32, chunk: 16 queries, 4096 keys, 8 heads, D=128", "chunk", "f32", 16, 128, len_kv=4096, heads=8),
    prefill("bf16, S=1536, D=128", "dense", "bf16", 1536, 128),
    prefill("f16, S=1536, D=128", "dense", "f16", 1536, 128),
    prefill("f16 through bf16, S=1536, D=128", "dense", "f16", 1536, 128, through_bf16=True),
    prefill("f16, causal, S=1536, D=128", "causal", "f16", 1536, 128),
    decode("f32", 8, 8, 16384, 128),
    decode("f16", 8, 8, 16384, 128),
    decode("bf16", 8, 8, 16384, 128),
    decode("f32", 32, 8, 8192, 128),
    decode("f16", 32, 8, 16384, 128),
    decode("bf16", 32, 8, 16384, 128),
    decode("f16", 32, 4, 16384, 128),
    decode("f32", 8, 8, 512, 64, batch=16),
    decode("int8", 8, 8, 16384, 128),
)

LENGTHS = (64, 128, 256, 512, 1024, 2048, 4096)
KEYS = (512, 1024, 2048, 4096, 8192, 16384, 32768)


@dataclasses.dataclass(frozen=True)
class Sweep:
    """A series of problems that differ in one length: a panel of a plot."""

    name: str
    words: str
    shapes: tuple[Shape, ...]


SWEEPS = (
    Sweep("dense", "f32, dense, 8 heads, D=64",
          tuple(prefill("", "dense", "f32", length, 64, heads=8) for length in LENGTHS)),
    Sweep("causal", "f32, causal, 8 heads, D=64",
          tuple(prefill("", "causal", "f32", length, 64, heads=8) for length in LENGTHS)),
    Sweep("decode-f16", "f16, 32 query heads over 8, D=128",
          tuple(decode("f16", 32, 8, keys, 128) for keys in KEYS)),
    Sweep("decode-f32", "f32, 32 query heads over 8, D=128",
          tuple(decode("f32", 32, 8, keys, 128) for keys in KEYS)),
)

# Every way that the full table takes, in little time.
QUICK_TABLE = (
    prefill("f32, S=64, D=32", "dense", "f32", 64, 32),
    prefill("f32, causal, S=64, D=32", "causal", "f32", 64, 32),
    prefill("f32, causal, 2 sequences, 4 heads over 2, S=64, D=32", "causal", "f32", 64, 32, batch=2, heads=4,
            heads_kv=2),
    prefill("f32, chunk: 16 queries, 128 keys, D=32", "chunk", "f32", 16, 32, len_kv=128),
    prefill("bf16, S=64, D=32", "dense", "bf16", 64, 32),
    prefill("f16, S=64, D=32", "dense", "f16", 64, 32),
    prefill("f16 through bf16, S=64, D=32", "dense", "f16", 64, 32, through_bf16=True),
    prefill("f16, causal, S=64, D=32", "causal", "f16", 64, 32),
    decode("f32", 4, 4, 256, 32),
    decode("f32", 4, 2, 256, 32, batch=2),
    decode("f16", 4, 2, 256, 32),
    decode("bf16", 4, 2, 256, 32),
    decode("int8", 4, 4, 256, 32),
)
QUICK_SWEEPS = (
    Sweep("dense", "f32, dense, 2 heads, D=32",
          tuple(prefill("", "dense", "f32", length, 32) for length in (32, 64))),
    Sweep("causal", "f32, causal, 2 heads, D=32",
          tuple(prefill("", "causal", "f32", length, 32) for length in (32, 64))),
    Sweep("decode-f16", "f16, 4 query heads over 2, D=32", tuple(decode("f16", 4, 2, keys, 32) for keys in (128, 256))),
    Sweep("decode-f32", "f32, 4 query heads over 2, D=32", tuple(decode("f32", 4, 2, keys, 32) for keys in (128, 256))),
)
