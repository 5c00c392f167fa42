"""OpenVINO: ScaledDotProductAttention of opset 13, compiled for the CPU."""

import sys

import numpy as np

# Importing OpenVINO would fork a process that reports its use to its makers; without this package it has a stub.
sys.modules["openvino_telemetry"] = None

import openvino as ov  # noqa: E402
from openvino import opset13  # noqa: E402

from peer import Prepared, Unsupported
from shapes import Shape
from tensors import Tensors

TYPES = {"f32": ov.Type.f32, "f16": ov.Type.f16, "bf16": ov.Type.bf16}


class Peer:
    def __init__(self, threads: int) -> None:
        self.threads = threads
        self.core = ov.Core()
        self.versions = {"OpenVINO": ov.__version__.split("-")[0]}

    def prepare(self, shape: Shape, tensors: Tensors) -> Prepared:
        if shape.type not in TYPES:
            raise Unsupported(f"no {shape.type} keys and values")
        if shape.groups != shape.heads:
            raise Unsupported("the operator has no grouped heads")
        compiled = self.compiled(shape)
        out = tensors.output()

        def tensor(array: np.ndarray) -> ov.Tensor:
            # Given a type, it wants the bits and shares the memory.
            bits = array if shape.type == "f32" else array.view(np.uint16)
            return ov.Tensor(bits, ov.Shape(array.shape), TYPES[shape.type])

        def request(*inputs: np.ndarray):
            made = compiled.create_infer_request()
            for i, array in enumerate(inputs):
                made.set_input_tensor(i, tensor(array))
            made.set_output_tensor(tensor(out))
            # It holds no reference to the arrays.
            return lambda kept=inputs: made.infer()

        calls = [request(tensors.q, copy.k, copy.v) for copy in tensors.copies]
        return Prepared(calls, lambda: out.astype(np.float32))

    def compiled(self, shape: Shape) -> ov.CompiledModel:
        inputs = [opset13.parameter(list(dims), TYPES[shape.type]) for dims in (
            (shape.batch, shape.heads, shape.len_q, shape.dim),
            (shape.batch, shape.groups, shape.len_kv, shape.dim),
            (shape.batch, shape.groups, shape.len_kv, shape.dim))]
        model = ov.Model([opset13.scaled_dot_product_attention(*inputs, causal=shape.causal)], inputs)
        # Asked for f16, it computes in bf16 where the processor has only that.
        precision = "bf16" if shape.through_bf16 else shape.type
        return self.core.compile_model(model, "CPU", {
            "INFERENCE_NUM_THREADS": self.threads,
            "INFERENCE_PRECISION_HINT": precision,
            "NUM_STREAMS": 1,
            "ENABLE_CPU_PINNING": False,
        })
