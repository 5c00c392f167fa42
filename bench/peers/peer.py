"""What every program under test offers to worker.py."""

import dataclasses
from collections.abc import Callable
from typing import Protocol

import numpy as np

from shapes import Shape
from tensors import Tensors


class Unsupported(Exception):
    """The program has no such problem; the text says why."""


@dataclasses.dataclass
class Prepared:
    """A problem that is ready to run: one function for every copy of the keys and values, called in turn."""

    calls: list[Callable[[], object]]
    # The result, (batch, heads, len_q, dim) in f32.
    output: Callable[[], np.ndarray]


class Peer(Protocol):
    # What it runs on: names and versions.
    versions: dict[str, str]

    def prepare(self, shape: Shape, tensors: Tensors) -> Prepared:
        """Raises Unsupported."""
