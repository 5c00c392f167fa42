"""ONNX Runtime: MultiHeadAttention without a mask; GroupQueryAttention for causal masks, grouped heads and decoding,
with past and present keys and values in the same buffers, as its users run it."""

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper

from peer import Prepared, Unsupported
from shapes import Shape
from tensors import KeysValues, Tensors, copy_of, pointer

TYPES = {"f32": TensorProto.FLOAT, "f16": TensorProto.FLOAT16, "bf16": TensorProto.BFLOAT16}
DOMAIN = "com.microsoft"

# A model's input or output: its name, its type in ONNX, and its memory.
Binding = tuple[str, int, np.ndarray]


class Peer:
    def __init__(self, threads: int) -> None:
        self.threads = threads
        self.versions = {"ONNX Runtime": onnxruntime.__version__, "onnx": onnx.__version__}

    def prepare(self, shape: Shape, tensors: Tensors) -> Prepared:
        if shape.type not in TYPES:
            raise Unsupported(f"no {shape.type} keys and values")
        if shape.through_bf16:
            raise Unsupported("no such option")
        # (batch, len, heads * dim), as both operators have queries and results.
        rows = (shape.batch, shape.len_q, shape.heads * shape.dim)
        q = copy_of(tensors.q.transpose(0, 2, 1, 3)).reshape(rows)
        out = copy_of(q)
        grouped = shape.causal or shape.decode or shape.groups != shape.heads
        describe = self.group_query if grouped else self.multi_head
        session = None
        calls = []
        for copy in tensors.copies:
            node, inputs, outputs = describe(shape, q, copy, out)
            session = session or self.session(node, inputs, outputs)
            binding = session.io_binding()
            for name, type_, array in inputs:
                binding.bind_input(name, "cpu", 0, type_, array.shape, pointer(array))
            for name, type_, array in outputs:
                binding.bind_output(name, "cpu", 0, type_, array.shape, pointer(array))
            # The inputs' memory must live as long as the call.
            calls.append(lambda binding=binding, kept=(inputs, outputs): session.run_with_iobinding(binding))

        def output() -> np.ndarray:
            heads = out.reshape(shape.batch, shape.len_q, shape.heads, shape.dim)
            return heads.transpose(0, 2, 1, 3).astype(np.float32)

        return Prepared(calls, output)

    def multi_head(self, shape: Shape, q: np.ndarray, copy: KeysValues, out: np.ndarray):
        type_ = TYPES[shape.type]
        node = helper.make_node("MultiHeadAttention", ["q", "k", "v"], ["out"], domain=DOMAIN, num_heads=shape.heads)
        return node, [("q", type_, q), ("k", type_, copy.k), ("v", type_, copy.v)], [("out", type_, out)]

    def group_query(self, shape: Shape, q: np.ndarray, copy: KeysValues, out: np.ndarray):
        """The newest len_q rows come as input and are written into the buffers again, where they already are."""
        type_ = TYPES[shape.type]
        node = helper.make_node(
            "GroupQueryAttention", ["q", "new_k", "new_v", "past_k", "past_v", "last", "total"],
            ["out", "present_k", "present_v"], domain=DOMAIN, num_heads=shape.heads, kv_num_heads=shape.groups)

        def newest(array: np.ndarray) -> np.ndarray:
            rows = array[:, :, -shape.len_q:].transpose(0, 2, 1, 3)
            return copy_of(rows).reshape(shape.batch, shape.len_q, shape.groups * shape.dim)

        inputs = [
            ("q", type_, q),
            ("new_k", type_, newest(copy.k)),
            ("new_v", type_, newest(copy.v)),
            ("past_k", type_, copy.k),
            ("past_v", type_, copy.v),
            ("last", TensorProto.INT32, np.full(shape.batch, shape.len_kv - 1, np.int32)),
            ("total", TensorProto.INT32, np.array([shape.len_kv], np.int32)),
        ]
        return node, inputs, [("out", type_, out), ("present_k", type_, copy.k), ("present_v", type_, copy.v)]

    def session(self, node: onnx.NodeProto, inputs: list[Binding],
                outputs: list[Binding]) -> onnxruntime.InferenceSession:
        def infos(bindings: list[Binding]) -> list[onnx.ValueInfoProto]:
            return [helper.make_tensor_value_info(name, type_, array.shape) for name, type_, array in bindings]

        model = helper.make_model(
            helper.make_graph([node], "attention", infos(inputs), infos(outputs)),
            opset_imports=[helper.make_opsetid("", 21), helper.make_opsetid(DOMAIN, 1)], ir_version=10)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 4
        # Its threads wait actively during a call, but not while others are measured.
        options.add_session_config_entry("session.force_spinning_stop", "1")
        try:
            return onnxruntime.InferenceSession(model.SerializeToString(), options, ["CPUExecutionProvider"])
        except onnxruntime.capi.onnxruntime_pybind11_state.NotImplemented as error:
            raise Unsupported(f"no {node.op_type} for {shape_type(inputs)}") from error


def shape_type(inputs: list[Binding]) -> str:
    return TensorProto.DataType.Name(inputs[0][1]).lower()
