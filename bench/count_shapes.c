/* The shapes whose instructions are counted, in place of those of shapes.c: one of each way through the library, and
 * small, for an emulator runs them. Sizes leave panels, blocks and vectors with something over at their ends. */
#include "shapes.h"

#define SELF(s) .len_q = (s), .len_kv = (s)
#define DECODE(keys) .len_q = 1, .len_kv = (keys)
#define F16 .type_q = FOVEA_F16, .type_kv = FOVEA_F16
#define BF16 .type_q = FOVEA_BF16, .type_kv = FOVEA_BF16

const bench_shape bench_shapes[] = {
    {.name = "f32/dense/H=2/S=200/D=64", .heads_q = 2, SELF(200), .dim = 64},
    {.name = "f32/dense/S=768/D=128", .heads_q = 1, SELF(768), .dim = 128, .exps = SHAPE_FUSED},
    {.name = "f32/causal/S=300/D=128", .heads_q = 1, SELF(300), .dim = 128, .causal = 1, .exps = SHAPE_FUSED},
    {.name = "f32/causal/window=100/S=512/D=64",
     .heads_q = 1,
     SELF(512),
     .dim = 64,
     .causal = 1,
     .window = 100,
     .exps = SHAPE_FUSED},
    {.name = "f32/dense/B=4/H=2/S=64/D=32", .batch = 4, .heads_q = 2, SELF(64), .dim = 32, .exps = SHAPE_FUSED},
    {.name = "f32/dense/mask/H=2/S=200/D=64",
     .heads_q = 2,
     SELF(200),
     .dim = 64,
     .feature = SHAPE_MASK,
     .exps = SHAPE_FUSED},
    {.name = "f32/causal/interleaved/H=2/S=200/D=64",
     .heads_q = 2,
     .rotation = 6,
     SELF(200),
     .dim = 64,
     .causal = 1,
     .interleaved = 1,
     .exps = SHAPE_FUSED},
    {.name = "bf16/dense/H=2/S=200/D=64", BF16, .heads_q = 2, SELF(200), .dim = 64, .exps = SHAPE_FUSED},
    {.name = "f32/chunk/16x512/H=2/D=128",
     .heads_q = 2,
     .len_q = 16,
     .len_kv = 512,
     .dim = 128,
     .causal = 1,
     .exps = SHAPE_FUSED},
    {.name = "f32/decode/H=8/KV=2/K=500/D=128", DECODE(500), .heads_q = 8, .heads_kv = 2, .dim = 128},
    {.name = "f32/decode/H=8/K=600/D=64", DECODE(600), .heads_q = 8, .dim = 64, .exps = SHAPE_FUSED},
    {.name = "f16/decode/H=8/K=600/D=128", F16, DECODE(600), .heads_q = 8, .dim = 128, .exps = SHAPE_FUSED},
    {.name = "int8/decode/H=8/K=600/D=128",
     .type_kv = FOVEA_INT8,
     DECODE(600),
     .heads_q = 8,
     .dim = 128,
     .exps = SHAPE_FUSED},
    /* Next to no arithmetic: what a call costs by itself. */
    {.name = "f32/tiny/K=16/D=64", DECODE(16), .heads_q = 1, .dim = 64, .exps = SHAPE_SLEEF},
};

const int32_t bench_shape_count = sizeof bench_shapes / sizeof bench_shapes[0];
