"""fovea's shared library: a plan and a workspace that are made once, then fovea_execute."""

import ctypes
import pathlib
import weakref

import numpy as np

import fovea_api
from peer import Prepared, Unsupported
from shapes import Shape
from tensors import DTYPES, KeysValues, Tensors, aligned, pointer


class Peer:
    def __init__(self, threads: int, library: pathlib.Path, exp: str) -> None:
        self.threads = threads
        self.exp = exp
        self.library = fovea_api.load(library)
        self.versions = {"fovea": f"{self.library.fovea_version().decode()} ({self.backend()})"}

    def backend(self) -> str:
        isa = ctypes.c_int32()
        fovea_api.check(self.library, self.library.fovea_isa_chosen(ctypes.byref(isa)))
        info = fovea_api.IsaInfo(struct_size=ctypes.sizeof(fovea_api.IsaInfo))
        fovea_api.check(self.library, self.library.fovea_isa_query(isa, ctypes.byref(info)))
        return info.name.decode()

    def prepare(self, shape: Shape, tensors: Tensors) -> Prepared:
        if self.exp == "fused" and shape.type_q != "f32":
            raise Unsupported("f16 and bf16 results use the fused exponential anyway")
        desc = fovea_api.AttentionDesc(
            struct_size=ctypes.sizeof(fovea_api.AttentionDesc),
            batch=shape.batch, heads_q=shape.heads, heads_kv=shape.groups, len_q=shape.len_q, len_kv=shape.len_kv,
            head_dim=shape.dim, head_dim_v=shape.dim, type_q=fovea_api.TYPES[shape.type_q],
            type_kv=fovea_api.TYPES[shape.type], type_out=fovea_api.TYPES[shape.type_q], causal=shape.causal,
            exp=fovea_api.EXPS[self.exp], threads=self.threads,
            arithmetic=fovea_api.ARITHMETIC_BF16 if shape.through_bf16 else 0)
        plan = ctypes.c_void_p()
        status = self.library.fovea_plan_create(ctypes.byref(desc), ctypes.byref(plan))
        if status == fovea_api.UNSUPPORTED:
            raise Unsupported(self.library.fovea_last_reason().decode())
        fovea_api.check(self.library, status)

        workspace = aligned((self.library.fovea_plan_workspace_size(plan, self.threads),), np.dtype(np.uint8))
        out = tensors.output()
        calls = [self.call(plan, self.arguments(tensors.q, copy, out, workspace)) for copy in tensors.copies]
        prepared = Prepared(calls, lambda: out.astype(np.float32))
        weakref.finalize(prepared, self.library.fovea_plan_destroy, plan)
        return prepared

    def arguments(self, q: np.ndarray, copy: KeysValues, out: np.ndarray,
                  workspace: np.ndarray) -> fovea_api.AttentionArgs:
        args = fovea_api.AttentionArgs(struct_size=ctypes.sizeof(fovea_api.AttentionArgs), len_q=q.shape[2],
                                       len_kv=copy.k.shape[2])

        def set_tensor(name: str, strides_name: str, array: np.ndarray) -> None:
            setattr(args, name, pointer(array))
            getattr(args, strides_name)[:] = [stride // array.itemsize for stride in array.strides]

        set_tensor("q", "q_strides", q)
        set_tensor("k", "k_strides", copy.k)
        set_tensor("v", "v_strides", copy.v)
        set_tensor("out", "out_strides", out)
        if copy.k.dtype == DTYPES["int8"]:
            set_tensor("k_scales", "k_scale_strides", copy.k_scales)
            set_tensor("v_scales", "v_scale_strides", copy.v_scales)
        args.workspace, args.workspace_size = pointer(workspace), workspace.nbytes
        # A struct holds addresses only: what they point to must live as long.
        args.kept = (q, copy, out, workspace)
        return args

    def call(self, plan: ctypes.c_void_p, args: fovea_api.AttentionArgs):
        execute, address = self.library.fovea_execute, ctypes.addressof(args)

        def call(kept=args) -> None:
            if execute(plan, address, None) != fovea_api.OK:
                raise RuntimeError(self.library.fovea_last_reason().decode())
        return call
