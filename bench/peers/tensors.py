"""The inputs of a problem: the same numbers in every process, in memory of the same kind.

Everything lies in NumPy's memory, aligned to pages; what runs on it is handed pointers. f16 and bf16 are kept as their
bits.
"""

import dataclasses
import zlib

import ml_dtypes
import numpy as np

from shapes import Shape

PAGE = 4096
DTYPES = {"f32": np.dtype(np.float32), "f16": np.dtype(np.float16), "bf16": np.dtype(ml_dtypes.bfloat16),
          "int8": np.dtype(np.int8)}


def aligned(dims: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """Zeros, beginning on a page and written to, so that they are memory and not a promise of it."""
    size = int(np.prod(dims)) * dtype.itemsize
    memory = np.empty(size + PAGE, np.uint8)
    start = -memory.ctypes.data % PAGE
    array = memory[start:start + size].view(dtype).reshape(dims)
    array.view(np.uint8)[...] = 0
    return array


def copy_of(array: np.ndarray) -> np.ndarray:
    new = aligned(array.shape, array.dtype)
    new[...] = array
    return new


def pointer(array: np.ndarray) -> int:
    return array.ctypes.data


@dataclasses.dataclass
class KeysValues:
    k: np.ndarray
    v: np.ndarray
    # int8: a scale for every row, else None.
    k_scales: np.ndarray | None = None
    v_scales: np.ndarray | None = None


@dataclasses.dataclass
class Tensors:
    q: np.ndarray
    # Equal contents in different places: calls take turns, so that a decoding step finds nothing in a cache.
    copies: list[KeysValues]

    def output(self) -> np.ndarray:
        return aligned(self.q.shape, self.q.dtype)


def numbers(random: np.random.Generator, dims: tuple[int, ...], type_: str) -> np.ndarray:
    array = aligned(dims, DTYPES[type_])
    if type_ == "int8":
        array[...] = random.integers(-127, 128, dims, np.int8)
    elif type_ == "f32":
        random.standard_normal(out=array, dtype=np.float32)
    else:
        array[...] = random.standard_normal(dims, np.float32)
    return array


def scales(random: np.random.Generator, dims: tuple[int, ...]) -> np.ndarray:
    array = aligned(dims, DTYPES["f32"])
    array[...] = random.uniform(0.01, 0.02, dims)
    return array


def make(shape: Shape, copies: int) -> Tensors:
    """The seed is the problem's name."""
    random = np.random.default_rng(zlib.crc32(shape.name.encode()))
    q = numbers(random, (shape.batch, shape.heads, shape.len_q, shape.dim), shape.type_q)
    rows = (shape.batch, shape.groups, shape.len_kv)
    first = KeysValues(numbers(random, (*rows, shape.dim), shape.type), numbers(random, (*rows, shape.dim), shape.type))
    if shape.type == "int8":
        first.k_scales, first.v_scales = scales(random, rows), scales(random, rows)
    others = [KeysValues(*(None if array is None else copy_of(array) for array in vars(first).values()))
              for _ in range(copies - 1)]
    return Tensors(q, [first, *others])
