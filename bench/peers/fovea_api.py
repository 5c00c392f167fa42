"""fovea's C interface: the structs of include/fovea/, field by field."""

import ctypes
import pathlib
from ctypes import c_char_p, c_float, c_int32, c_int64, c_size_t, c_uint32, c_void_p

OK, INVALID, UNSUPPORTED = 0, 1, 2
TYPES = {"f32": 0, "f16": 1, "bf16": 2, "int8": 3}
EXPS = {"default": 0, "sleef": 1, "fused": 2}
ARITHMETIC_BF16 = 1


class AttentionDesc(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("batch", c_int64),
        ("heads_q", c_int64),
        ("heads_kv", c_int64),
        ("len_q", c_int64),
        ("len_kv", c_int64),
        ("head_dim", c_int64),
        ("head_dim_v", c_int64),
        ("type_q", c_int32),
        ("type_kv", c_int32),
        ("type_out", c_int32),
        ("type_bias", c_int32),
        ("type_index", c_int32),
        ("scale", c_float),
        ("has_scale", c_int32),
        ("softcap", c_float),
        ("diagonal", c_int32),
        ("causal", c_int32),
        ("window_left", c_int64),
        ("window_right", c_int64),
        ("has_window_left", c_int32),
        ("has_window_right", c_int32),
        ("form_q", c_int32),
        ("form_kv", c_int32),
        ("page_size", c_int64),
        ("inputs", c_uint32),
        ("outputs", c_uint32),
        ("weights", c_int32),
        ("exp", c_int32),
        ("arithmetic", c_int32),
        ("isa_cap", c_int32),
        ("threads", c_int32),
        ("allocator", c_void_p),
    ]


class AttentionArgs(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("len_q", c_int64),
        ("len_kv", c_int64),
        ("q", c_void_p),
        ("q_strides", c_int64 * 4),
        ("k", c_void_p),
        ("k_strides", c_int64 * 4),
        ("v", c_void_p),
        ("v_strides", c_int64 * 4),
        ("out", c_void_p),
        ("out_strides", c_int64 * 4),
        ("mask", c_void_p),
        ("mask_strides", c_int64 * 4),
        ("bias", c_void_p),
        ("bias_strides", c_int64 * 4),
        ("key_lengths", c_void_p),
        ("first_keys", c_void_p),
        ("query_offsets", c_void_p),
        ("alibi_slopes", c_void_p),
        ("alibi_strides", c_int64 * 2),
        ("sinks", c_void_p),
        ("cu_seqlens_q", c_void_p),
        ("cu_seqlens_kv", c_void_p),
        ("block_table", c_void_p),
        ("block_table_strides", c_int64 * 2),
        ("pages", c_int64),
        ("k_scales", c_void_p),
        ("k_scale_strides", c_int64 * 3),
        ("v_scales", c_void_p),
        ("v_scale_strides", c_int64 * 3),
        ("lse", c_void_p),
        ("lse_strides", c_int64 * 3),
        ("weights", c_void_p),
        ("weights_strides", c_int64 * 4),
        ("workspace", c_void_p),
        ("workspace_size", c_size_t),
    ]


class IsaInfo(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("name", c_char_p),
        ("compiled", c_int32),
        ("detected", c_int32),
        ("chosen", c_int32),
        ("reason", c_char_p),
    ]


def load(path: pathlib.Path) -> ctypes.CDLL:
    library = ctypes.CDLL(str(path))
    for name in ("fovea_version", "fovea_cpu_name", "fovea_last_reason"):
        getattr(library, name).restype = c_char_p
    library.fovea_plan_create.argtypes = [ctypes.POINTER(AttentionDesc), ctypes.POINTER(c_void_p)]
    library.fovea_plan_destroy.argtypes = [c_void_p]
    library.fovea_plan_destroy.restype = None
    library.fovea_plan_workspace_size.argtypes = [c_void_p, c_int32]
    library.fovea_plan_workspace_size.restype = c_size_t
    library.fovea_execute.argtypes = [c_void_p, c_void_p, c_void_p]
    library.fovea_isa_chosen.argtypes = [ctypes.POINTER(c_int32)]
    library.fovea_isa_query.argtypes = [c_int32, ctypes.POINTER(IsaInfo)]
    return library


def check(library: ctypes.CDLL, status: int) -> None:
    if status != OK:
        raise RuntimeError(library.fovea_last_reason().decode())
