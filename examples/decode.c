/* A decoding loop: a prompt, then one token after the other, over an int8 cache with rotary embeddings. */
#include <fovea/fovea.h>
#include <stdio.h>
#include <string.h>

enum { HEADS_Q = 8, HEADS_KV = 2, DIM = 64, PROMPT = 100, STEPS = 20, CAPACITY = 256 };

/* What a model computes for the new tokens of a step, and what comes back. */
static float q[PROMPT][HEADS_Q][DIM], k[PROMPT][HEADS_KV][DIM], v[PROMPT][HEADS_KV][DIM], out[PROMPT][HEADS_Q][DIM];
/* What is kept of all tokens. */
static int8_t k_cache[CAPACITY][HEADS_KV][DIM], v_cache[CAPACITY][HEADS_KV][DIM];
static float k_scales[CAPACITY][HEADS_KV], v_scales[CAPACITY][HEADS_KV];

static const int64_t strides_q[4] = {0, DIM, HEADS_Q *DIM, 1};
static const int64_t strides_kv[4] = {0, DIM, HEADS_KV *DIM, 1};
static const int64_t strides_scales[3] = {0, 1, HEADS_KV};
#define SET(strides, values) memcpy(strides, values, sizeof(strides))

/* Keys are turned by their positions and quantised on their way into the cache. */
static fovea_status append(int64_t count, const int32_t *first, const fovea_rotation *rotation) {
    fovea_kv_append_args args = {.struct_size = sizeof args, .batch = 1, .heads_kv = HEADS_KV, .type_kv = FOVEA_INT8};
    args.len_new = count, args.len_kv = CAPACITY, args.first_positions = first, args.rotation = rotation;
    args.head_dim = args.head_dim_v = DIM;
    args.k_new = k, args.v_new = v, args.k = k_cache, args.v = v_cache;
    args.k_scales = &k_scales[0][0], args.v_scales = &v_scales[0][0];
    SET(args.k_new_strides, strides_kv), SET(args.v_new_strides, strides_kv);
    SET(args.k_strides, strides_kv), SET(args.v_strides, strides_kv);
    SET(args.k_scale_strides, strides_scales), SET(args.v_scale_strides, strides_scales);
    return fovea_kv_append(&args, NULL);
}

static fovea_status turn_queries(int64_t count, const int32_t *first, const fovea_rotation *rotation) {
    fovea_rope_args args = {.struct_size = sizeof args, .batch = 1, .heads_q = HEADS_Q, .head_dim = DIM};
    args.len = count, args.first_positions = first, args.rotation = rotation, args.q = q, args.q_out = q;
    SET(args.q_strides, strides_q), SET(args.q_out_strides, strides_q);
    return fovea_rope(&args, NULL);
}

static fovea_status attend(const fovea_plan *plan, int64_t count, int64_t keys) {
    fovea_attention_args args = {.struct_size = sizeof args, .len_q = count, .len_kv = keys};
    args.q = q, args.k = k_cache, args.v = v_cache, args.out = out;
    args.k_scales = &k_scales[0][0], args.v_scales = &v_scales[0][0];
    SET(args.q_strides, strides_q), SET(args.out_strides, strides_q);
    SET(args.k_strides, strides_kv), SET(args.v_strides, strides_kv);
    SET(args.k_scale_strides, strides_scales), SET(args.v_scale_strides, strides_scales);
    return fovea_execute(plan, &args, NULL);
}

/* Stands for the model: values are the token's number, and all scores are equal. */
static void project(int64_t first, int64_t count) {
    for (int64_t i = 0; i < count; i++)
        for (int h = 0; h < HEADS_KV; h++)
            for (int d = 0; d < DIM; d++)
                k[i][h][d] = 1, v[i][h][d] = (float)(first + i);
}

int main(void) {
    fovea_attention_desc desc = {.struct_size = sizeof desc, .batch = 1, .causal = 1, .type_kv = FOVEA_INT8};
    desc.heads_q = HEADS_Q, desc.heads_kv = HEADS_KV, desc.head_dim = desc.head_dim_v = DIM;
    desc.len_q = PROMPT, desc.len_kv = CAPACITY;
    const fovea_rotation rotation = {.struct_size = sizeof rotation, .base = 500000};
    fovea_plan *plan;
    if (fovea_plan_create(&desc, &plan) != FOVEA_OK)
        return fprintf(stderr, "%s\n", fovea_last_reason()), 1;

    int32_t tokens = 0;
    for (int step = 0; step <= STEPS; step++) {
        const int32_t count = step == 0 ? PROMPT : 1;
        project(tokens, count);
        if (append(count, &tokens, &rotation) != FOVEA_OK || turn_queries(count, &tokens, &rotation) != FOVEA_OK ||
            attend(plan, count, tokens + count) != FOVEA_OK)
            return fprintf(stderr, "%s\n", fovea_last_reason()), 1;
        tokens += count;
    }
    fovea_plan_destroy(plan);
    /* Equal scores: the last token sees the mean of 0 ... 119. */
    printf("token %d: %.3f\n", (int)tokens - 1, (double)out[0][0][0]);
    return 0;
}
