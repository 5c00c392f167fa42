#include "shapes.h"

/* Fields that several shapes share. */
#define SELF(s) .len_q = (s), .len_kv = (s)
/* Two heads a call, twelve in rotation. */
#define PAIR .heads_q = 2, .cold_rotation = 6
#define F16 .type_q = FOVEA_F16, .type_kv = FOVEA_F16, .exps = SHAPE_FUSED
#define BF16 .type_q = FOVEA_BF16, .type_kv = FOVEA_BF16, .exps = SHAPE_FUSED
#define DECODE(keys) .limit = BENCH_LIMIT_READ, .len_q = 1, .len_kv = (keys)
#define INT8 .type_kv = FOVEA_INT8, .exps = SHAPE_FUSED

/* Rotates through all heads of an interleaved tensor; the base does the same with contiguous ones. */
#define INTERLEAVED(kind, is_causal, heads, size)                                                                 \
    {                                                                                                             \
        .name = "f32/" kind "/interleaved/H=" #heads "/S=1536/D=" #size, .limit = BENCH_LIMIT_BASE, .heads_q = 2, \
        SELF(1536), .dim = (size), .causal = (is_causal), .interleaved = 1, .rotation = (heads) / 2               \
    }

/* A feature's speed relative to that of the call without it. */
#define FEATURE(what, kind, size, head_dim)                                                                         \
    {                                                                                                               \
        .name = "f32/dense/" what "/S=" #size "/D=" #head_dim, .limit = BENCH_LIMIT_BASE, .heads_q = 2, SELF(size), \
        .dim = (head_dim), .feature = (kind)                                                                        \
    }

/* Throughput over sizes, relative to that of 2048. */
#define LINEAR(rows, keys, base_rows, base_keys, what, size)                                                    \
    {                                                                                                           \
        .name = "f32/linear/" what "=" #size, .limit = BENCH_LIMIT_BASE, .heads_q = 1, .len_q = (rows),         \
        .len_kv = (keys), .dim = 64, .exps = SHAPE_SLEEF, .base_len_q = (base_rows), .base_len_kv = (base_keys) \
    }
#define LINEAR_SELF(size) LINEAR(size, size, 2048, 2048, "S", size)
#define LINEAR_KEYS(size) LINEAR(256, size, 256, 2048, "keys", size)
#define LINEAR_ROWS(size) LINEAR(size, 512, 2048, 512, "rows", size)

const bench_shape bench_shapes[] = {
    {.name = "f32/dense/S=1536/D=64", PAIR, SELF(1536), .dim = 64},
    {.name = "f32/dense/S=1536/D=128", PAIR, SELF(1536), .dim = 128},
    {.name = "f32/causal/S=1536/D=64", PAIR, SELF(1536), .dim = 64, .causal = 1},
    {.name = "f32/causal/S=1536/D=128", PAIR, SELF(1536), .dim = 128, .causal = 1},
    {.name = "f32/causal/S=8192/D=128", PAIR, SELF(8192), .dim = 128, .causal = 1},
    {.name = "f32/causal/H=8/KV=2/S=1024/D=128",
     .heads_q = 8,
     .heads_kv = 2,
     .cold_rotation = 6,
     SELF(1024),
     .dim = 128,
     .causal = 1},
    {.name = "f32/dense/B=8/H=12/S=128/D=64", .batch = 8, .heads_q = 12, SELF(128), .dim = 64},
    {.name = "f32/dense/B=8/H=12/S=128/D=32", .batch = 8, .heads_q = 12, SELF(128), .dim = 32},
    {.name = "f32/dense/H=12/S=197/D=64", .heads_q = 12, SELF(197), .dim = 64},
    {.name = "f32/causal/B=8/H=12/S=128/D=64", .batch = 8, .heads_q = 12, SELF(128), .dim = 64, .causal = 1},
    {.name = "f32/causal/B=8/H=12/KV=3/S=128/D=64",
     .batch = 8,
     .heads_q = 12,
     .heads_kv = 3,
     SELF(128),
     .dim = 64,
     .causal = 1},
    {.name = "f32/causal/window=256/S=8192/D=64", PAIR, SELF(8192), .dim = 64, .causal = 1, .window = 256},
    {.name = "f32/causal/window=256/S=8192/D=128", PAIR, SELF(8192), .dim = 128, .causal = 1, .window = 256},
    {.name = "f32/cross/256x1536/D=64", PAIR, .len_q = 256, .len_kv = 1536, .dim = 64},
    {.name = "f32/chunk/16x4096/H=8/D=128", .heads_q = 8, .cold_rotation = 2, .len_q = 16, .len_kv = 4096, .dim = 128},
    {.name = "f16/dense/S=1536/D=128", PAIR, F16, SELF(1536), .dim = 128},
    {.name = "f16/causal/S=1536/D=128", PAIR, F16, SELF(1536), .dim = 128, .causal = 1},
    {.name = "f16/chunk/16x4096/H=8/D=128",
     F16,
     .heads_q = 8,
     .cold_rotation = 2,
     .len_q = 16,
     .len_kv = 4096,
     .dim = 128},
    {.name = "bf16/dense/S=1536/D=64", PAIR, BF16, SELF(1536), .dim = 64},
    {.name = "bf16/dense/S=1536/D=128", PAIR, BF16, SELF(1536), .dim = 128},
    {.name = "bf16/causal/S=1536/D=128", PAIR, BF16, SELF(1536), .dim = 128, .causal = 1},
    {.name = "bf16/dense/B=8/H=12/S=128/D=64", BF16, .batch = 8, .heads_q = 12, SELF(128), .dim = 64},
    {.name = "f16/dense/arithmetic=bf16/S=1536/D=128",
     PAIR,
     F16,
     SELF(1536),
     .dim = 128,
     .arithmetic = FOVEA_ARITHMETIC_BF16},
    {.name = "f16/causal/arithmetic=bf16/S=1536/D=128",
     PAIR,
     F16,
     SELF(1536),
     .dim = 128,
     .causal = 1,
     .arithmetic = FOVEA_ARITHMETIC_BF16},

    {.name = "f32/decode/H=8/K=16384/D=64", DECODE(16384), .heads_q = 8, .dim = 64},
    {.name = "f32/decode/H=8/K=16384/D=128", DECODE(16384), .heads_q = 8, .dim = 128},
    {.name = "f32/decode/H=8/K=16384/D=256", DECODE(16384), .heads_q = 8, .dim = 256},
    {.name = "f32/decode/H=32/KV=8/K=8192/D=128", DECODE(8192), .heads_q = 32, .heads_kv = 8, .dim = 128},
    {.name = "f32/decode/B=16/H=8/K=512/D=64", DECODE(512), .batch = 16, .heads_q = 8, .dim = 64},
    {.name = "f16/decode/H=8/K=16384/D=64", F16, DECODE(16384), .heads_q = 8, .dim = 64},
    {.name = "f16/decode/H=8/K=16384/D=128", F16, DECODE(16384), .heads_q = 8, .dim = 128},
    {.name = "f16/decode/H=8/K=16384/D=256", F16, DECODE(16384), .heads_q = 8, .dim = 256},
    {.name = "f16/decode/H=32/KV=8/K=16384/D=128", F16, DECODE(16384), .heads_q = 32, .heads_kv = 8, .dim = 128},
    {.name = "f16/decode/H=32/KV=4/K=16384/D=128", F16, DECODE(16384), .heads_q = 32, .heads_kv = 4, .dim = 128},
    {.name = "bf16/decode/H=8/K=16384/D=64", BF16, DECODE(16384), .heads_q = 8, .dim = 64},
    {.name = "bf16/decode/H=8/K=16384/D=128", BF16, DECODE(16384), .heads_q = 8, .dim = 128},
    {.name = "bf16/decode/H=8/K=16384/D=256", BF16, DECODE(16384), .heads_q = 8, .dim = 256},
    {.name = "bf16/decode/H=32/KV=8/K=16384/D=128", BF16, DECODE(16384), .heads_q = 32, .heads_kv = 8, .dim = 128},
    {.name = "int8/decode/H=8/K=16384/D=128", INT8, DECODE(16384), .heads_q = 8, .dim = 128},
    {.name = "int8/decode/H=8/K=16384/D=128/over-f16",
     INT8,
     .limit = BENCH_LIMIT_BASE,
     .len_q = 1,
     .len_kv = 16384,
     .heads_q = 8,
     .dim = 128,
     .base_type_kv = FOVEA_F16},

    {.name = "f32/tiny/plan",
     .limit = BENCH_LIMIT_LATENCY,
     .heads_q = 1,
     .len_q = 1,
     .len_kv = 16,
     .dim = 64,
     .exps = SHAPE_SLEEF,
     .threads = 1},
    {.name = "f32/tiny/one-call",
     .limit = BENCH_LIMIT_LATENCY,
     .heads_q = 1,
     .len_q = 1,
     .len_kv = 16,
     .dim = 64,
     .exps = SHAPE_SLEEF,
     .threads = 1,
     .one_call = 1},
    {.name = "f32/threads=2/dense/H=12/S=1536/D=128",
     .limit = BENCH_LIMIT_SPEEDUP,
     .heads_q = 12,
     SELF(1536),
     .dim = 128,
     .threads = 2},
    {.name = "f32/threads=2/causal/H=12/S=1536/D=128",
     .limit = BENCH_LIMIT_SPEEDUP,
     .heads_q = 12,
     SELF(1536),
     .dim = 128,
     .causal = 1,
     .threads = 2},
    {.name = "f32/threads=2/decode/H=8/K=16384/D=128",
     .limit = BENCH_LIMIT_SPEEDUP,
     .heads_q = 8,
     .len_q = 1,
     .len_kv = 16384,
     .dim = 128,
     .exps = SHAPE_SLEEF,
     .threads = 2},

    FEATURE("mask", SHAPE_MASK, 1536, 64),
    FEATURE("mask", SHAPE_MASK, 1536, 128),
    {.name = "f32/dense/tile-mask/H=8/S=4096/D=64",
     .limit = BENCH_LIMIT_BASE,
     .heads_q = 8,
     SELF(4096),
     .dim = 64,
     .feature = SHAPE_TILE_MASK},
    FEATURE("bias", SHAPE_BIAS, 1536, 128),
    FEATURE("shared-bias", SHAPE_SHARED_BIAS, 1536, 64),
    FEATURE("alibi", SHAPE_ALIBI, 1536, 64),
    FEATURE("softcap", SHAPE_SOFTCAP, 1536, 64),
    FEATURE("softcap", SHAPE_SOFTCAP, 1536, 128),
    {.name = "f32/dense/rising/S=1536/D=128",
     .limit = BENCH_LIMIT_BASE,
     .heads_q = 2,
     SELF(1536),
     .dim = 128,
     .feature = SHAPE_RISING,
     .exps = SHAPE_FUSED,
     .base_sleef = 1},

    INTERLEAVED("dense", 0, 12, 64),
    INTERLEAVED("dense", 0, 16, 64),
    INTERLEAVED("dense", 0, 32, 64),
    INTERLEAVED("dense", 0, 12, 128),
    INTERLEAVED("dense", 0, 16, 128),
    INTERLEAVED("dense", 0, 32, 128),
    INTERLEAVED("causal", 1, 12, 64),
    INTERLEAVED("causal", 1, 16, 64),
    INTERLEAVED("causal", 1, 32, 64),
    INTERLEAVED("causal", 1, 12, 128),
    INTERLEAVED("causal", 1, 16, 128),
    INTERLEAVED("causal", 1, 32, 128),

    LINEAR_SELF(64),
    LINEAR_SELF(128),
    LINEAR_SELF(256),
    LINEAR_SELF(512),
    LINEAR_SELF(1024),
    LINEAR_SELF(4096),
    LINEAR_SELF(8192),
    LINEAR_SELF(16384),
    LINEAR_SELF(32768),
    LINEAR_KEYS(64),
    LINEAR_KEYS(128),
    LINEAR_KEYS(256),
    LINEAR_KEYS(512),
    LINEAR_KEYS(1024),
    LINEAR_KEYS(4096),
    LINEAR_KEYS(8192),
    LINEAR_KEYS(16384),
    LINEAR_KEYS(32768),
    LINEAR_ROWS(64),
    LINEAR_ROWS(128),
    LINEAR_ROWS(256),
    LINEAR_ROWS(512),
    LINEAR_ROWS(1024),
    LINEAR_ROWS(4096),
    LINEAR_ROWS(8192),
    LINEAR_ROWS(16384),
    LINEAR_ROWS(32768),
};

const int32_t bench_shape_count = sizeof bench_shapes / sizeof bench_shapes[0];
