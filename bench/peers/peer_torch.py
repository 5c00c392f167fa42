"""PyTorch: torch.nn.functional.scaled_dot_product_attention."""

import numpy as np
import torch

from peer import Prepared, Unsupported
from shapes import Shape
from tensors import Tensors

TYPES = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}


class Peer:
    def __init__(self, threads: int) -> None:
        torch.set_num_threads(threads)
        torch.set_num_interop_threads(1)
        self.versions = {"PyTorch": torch.__version__}

    def prepare(self, shape: Shape, tensors: Tensors) -> Prepared:
        if shape.type not in TYPES:
            raise Unsupported(f"no {shape.type} keys and values")
        if shape.through_bf16:
            raise Unsupported("no such option")

        def tensor(array: np.ndarray) -> torch.Tensor:
            if shape.type == "f32":
                return torch.from_numpy(array)
            return torch.from_numpy(array.view(np.int16)).view(TYPES[shape.type])

        q = tensor(tensors.q)
        options = {"is_causal": shape.causal, "enable_gqa": shape.groups != shape.heads}
        results: list[torch.Tensor | None] = [None]

        def call_on(k: torch.Tensor, v: torch.Tensor):
            def call() -> None:
                with torch.inference_mode():
                    results[0] = torch.nn.functional.scaled_dot_product_attention(q, k, v, **options)
            return call

        def output() -> np.ndarray:
            return results[0].float().numpy()

        return Prepared([call_on(tensor(copy.k), tensor(copy.v)) for copy in tensors.copies], output)
