/* Whole calls through the public API. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "case.h"
#include "fill.h"
#include "fovea/prefix.h"
#include "pages.h"
#include "shapes.h"

/* A shape made ready to be called: its plan, its data, and where the rotation stands. */
typedef struct call {
    bench_shape shape;
    fovea_attention_desc desc;
    fovea_attention_args args;
    fovea_plan *plan;
    bench_pages pages;
    /* Bytes of the keys; and from one group of heads to the next. */
    size_t kv_bytes;
    size_t q_step;
    size_t kv_step;
    size_t out_step;
    unsigned char *q;
    unsigned char *k;
    unsigned char *v;
    unsigned char *out;
    int32_t turn;
    fovea_prefix_args prefix;
} call;

/* A case's data: the call, and the one it is compared with where there is one. */
typedef struct call_pair {
    call subject;
    call base;
} call_pair;

enum { SMOKE_ROWS = 160, SMOKE_KEYS = 320 };

/* Rows and keys of a tile of SHAPE_TILE_MASK. */
enum { MASK_TILE = 128 };

/* How the softmax's peak moves over keys in SHAPE_RISING, in natural units per sqrt(dim). */
static const float rise = 20.0f;

static int32_t or_one(int32_t count) {
    return count ? count : 1;
}

static int32_t at_most(int32_t value, int32_t bound) {
    return value < bound ? value : bound;
}

/* Fills in what zero stands for. */
static bench_shape resolve(const bench_shape *shape, const bench_options *options) {
    bench_shape resolved = *shape;
    resolved.batch = or_one(shape->batch);
    resolved.heads_kv = shape->heads_kv ? shape->heads_kv : shape->heads_q;
    resolved.rotation = or_one(shape->rotation);
    resolved.threads = shape->threads ? shape->threads : options->threads;
    if (options->smoke) {
        resolved.len_q = at_most(resolved.len_q, SMOKE_ROWS);
        resolved.len_kv = at_most(resolved.len_kv, SMOKE_KEYS);
        resolved.shared = at_most(resolved.shared, SMOKE_KEYS / 2);
    }
    return resolved;
}

static bench_shape base_of(const bench_shape *shape) {
    bench_shape base = *shape;
    base.interleaved = 0;
    base.feature = SHAPE_PLAIN;
    base.threads = 1;
    base.page_size = 0;
    base.prefix = 0;
    if (base.packed)
        base.batch = 1;
    base.packed = 0;
    if (shape->base_len_q) {
        base.len_q = shape->base_len_q;
        base.len_kv = shape->base_len_kv;
    }
    if (shape->base_type_kv)
        base.type_kv = (fovea_type)shape->base_type_kv;
    if (shape->base_unwindowed)
        base.window = 0;
    return base;
}

static int32_t has_mask(const bench_shape *shape) {
    return shape->feature == SHAPE_MASK || shape->feature == SHAPE_TILE_MASK;
}

static int32_t has_bias(const bench_shape *shape) {
    return shape->feature == SHAPE_BIAS || shape->feature == SHAPE_SHARED_BIAS;
}

static size_t bias_elements(const bench_shape *shape) {
    const size_t plane = (size_t)shape->len_q * (size_t)shape->len_kv;
    return shape->feature == SHAPE_BIAS ? plane * (size_t)shape->heads_q : plane;
}

/* Tokens along the axis of queries, and of keys, of all sequences that share it. */
static int32_t tokens(const bench_shape *shape, int32_t len) {
    int32_t sum = 0;
    for (int32_t b = 0; shape->packed && b < shape->batch; b++)
        sum += bench_packed_len(shape, b);
    return shape->packed ? sum : len;
}

static fovea_attention_desc desc_of(const bench_shape *shape, fovea_isa isa, fovea_exp exp) {
    const fovea_form packed_or_dense = shape->packed ? FOVEA_FORM_PACKED : FOVEA_FORM_DENSE;
    return (fovea_attention_desc){
        .struct_size = sizeof(fovea_attention_desc),
        .batch = shape->batch,
        .heads_q = shape->heads_q,
        .heads_kv = shape->heads_kv,
        .len_q = tokens(shape, shape->len_q),
        .len_kv = tokens(shape, shape->len_kv) - (shape->prefix ? shape->shared : 0),
        .form_q = packed_or_dense,
        .form_kv = shape->page_size ? FOVEA_FORM_PAGED : packed_or_dense,
        .page_size = shape->page_size,
        .head_dim = shape->dim,
        .head_dim_v = shape->dim,
        .type_q = shape->type_q,
        .type_kv = shape->type_kv,
        .type_out = shape->type_q,
        .softcap = shape->feature == SHAPE_SOFTCAP ? 30.0f : 0.0f,
        .causal = shape->causal,
        .window_left = shape->window,
        .has_window_left = shape->window > 0,
        .inputs = (has_mask(shape) ? FOVEA_INPUT_MASK : 0u) | (has_bias(shape) ? FOVEA_INPUT_BIAS : 0u) |
                  (shape->feature == SHAPE_ALIBI ? FOVEA_INPUT_ALIBI : 0u),
        .exp = exp,
        .arithmetic = shape->arithmetic,
        .isa_cap = isa,
        .threads = shape->threads,
    };
}

/* (batch, heads, len, dim) of a tensor that holds all groups of the rotation. Returns its elements. */
static size_t set_strides(const bench_shape *shape, int32_t heads, int32_t len, int64_t strides[4]) {
    const int64_t all_heads = (int64_t)heads * shape->rotation;
    if (shape->packed)
        len = tokens(shape, len);
    strides[0] = all_heads * len * shape->dim;
    strides[1] = shape->interleaved ? shape->dim : (int64_t)len * shape->dim;
    strides[2] = shape->interleaved ? all_heads * shape->dim : shape->dim;
    strides[3] = 1;
    return (size_t)(strides[0] * (shape->packed ? 1 : shape->batch));
}

/* Key/query pairs of one head that the masks allow: what counts as useful work. */
static double allowed_pairs(const bench_shape *shape, int64_t len_q, int64_t len_kv) {
    double pairs = 0.0;
    for (int64_t row = 0; row < len_q; row++) {
        const int64_t diagonal = row + len_kv - len_q;
        const int64_t end = shape->causal && diagonal + 1 < len_kv ? diagonal + 1 : len_kv;
        const int64_t begin = shape->window && diagonal > shape->window ? diagonal - shape->window : 0;
        if (end > begin)
            pairs += (double)(end - begin);
    }
    return pairs;
}

static double useful_flops(const bench_shape *shape) {
    double pairs = 0.0;
    for (int32_t b = 0; b < shape->batch; b++) {
        const int32_t len = shape->packed ? bench_packed_len(shape, b) : 0;
        pairs += len ? allowed_pairs(shape, len, len) : allowed_pairs(shape, shape->len_q, shape->len_kv);
    }
    return 4.0 * shape->dim * pairs * shape->heads_q;
}

/* Scores that rise steadily through the sequence, so that every block brings a new maximum. */
static void fill_rising(const call *c) {
    float *q = (float *)(void *)c->q;
    float *k = (float *)(void *)c->k;
    const size_t rows_q = (size_t)c->shape.heads_q * (size_t)c->shape.len_q;
    const size_t rows_k = (size_t)c->shape.heads_kv * (size_t)c->shape.len_kv;
    const size_t dim = (size_t)c->shape.dim;
    for (size_t i = 0; i < rows_q * dim; i++)
        q[i] = 1.0f + 0.1f * q[i];
    for (size_t row = 0; row < rows_k; row++)
        for (size_t d = 0; d < dim; d++)
            k[row * dim + d] += rise * (float)(row % (size_t)c->shape.len_kv) / (float)c->shape.len_kv;
}

/* Offsets of packed sequences; or a table of pages in random order, all of them full. */
static void make_lists(call *c) {
    const bench_shape *shape = &c->shape;
    if (shape->packed) {
        int32_t *offsets = bench_pages_cut(&c->pages, ((size_t)shape->batch + 1) * sizeof *offsets);
        for (int32_t b = 0; b < shape->batch; b++)
            offsets[b + 1] = offsets[b] + bench_packed_len(shape, b);
        c->args.cu_seqlens_q = c->args.cu_seqlens_kv = offsets;
    }
    if (shape->page_size) {
        const int32_t each = shape->len_kv / shape->page_size, all = each * shape->batch;
        int32_t *lengths = bench_pages_cut(&c->pages, (size_t)shape->batch * sizeof *lengths);
        int32_t *table = bench_pages_cut(&c->pages, (size_t)all * sizeof *table);
        bench_fill_order(table, all, 1);
        for (int32_t b = 0; b < shape->batch; b++)
            lengths[b] = shape->len_kv;
        c->args.block_table = table;
        c->args.block_table_strides[0] = each;
        c->args.block_table_strides[1] = 1;
        c->args.key_lengths = lengths;
        c->args.pages = all;
    }
}

/* Bytes of make_lists, at most. */
static size_t list_bytes(const bench_shape *shape) {
    const size_t entries = shape->page_size ? (size_t)(shape->len_kv / shape->page_size) * (size_t)shape->batch : 0;
    const size_t batch = bench_page_round(((size_t)shape->batch + 1) * sizeof(int32_t));
    return (shape->packed ? batch : 0) + (shape->page_size ? batch + bench_page_round(entries * sizeof(int32_t)) : 0);
}

static float *make_scales(bench_pages *pages, size_t count) {
    float *scales = bench_pages_cut(pages, count * sizeof(float));
    for (size_t i = 0; i < count; i++)
        scales[i] = bench_int8_scale;
    return scales;
}

/* Allows one of ten tiles, in each row of tiles alike. */
static void fill_tile_mask(const bench_shape *shape, uint8_t *mask) {
    for (int64_t i = 0; i < shape->len_q; i++)
        for (int64_t j = 0; j < shape->len_kv; j++)
            mask[i * shape->len_kv + j] = (7 * (i / MASK_TILE) + j / MASK_TILE) % 10 == 0;
}

/* The optional inputs. */
static void make_inputs(call *c) {
    const bench_shape *shape = &c->shape;
    const size_t plane = (size_t)shape->len_q * (size_t)shape->len_kv;
    if (has_mask(shape)) {
        uint8_t *mask = bench_pages_cut(&c->pages, plane);
        if (shape->feature == SHAPE_TILE_MASK)
            fill_tile_mask(shape, mask);
        else
            bench_fill_mask(mask, plane, 4);
        c->args.mask = mask;
        c->args.mask_strides[2] = shape->len_kv;
        c->args.mask_strides[3] = 1;
    }
    if (has_bias(shape)) {
        float *bias = bench_pages_cut(&c->pages, bias_elements(shape) * sizeof(float));
        bench_fill(bias, FOVEA_F32, bias_elements(shape), 5);
        c->args.bias = bias;
        c->args.bias_strides[1] = shape->feature == SHAPE_BIAS ? (int64_t)plane : 0;
        c->args.bias_strides[2] = shape->len_kv;
        c->args.bias_strides[3] = 1;
    }
    if (shape->feature == SHAPE_ALIBI) {
        float *slopes = bench_pages_cut(&c->pages, (size_t)shape->heads_q * sizeof(float));
        for (int32_t head = 0; head < shape->heads_q; head++)
            slopes[head] = 1.0f / (float)(2 << head);
        c->args.alibi_slopes = slopes;
        c->args.alibi_strides[1] = 1;
    }
    if (shape->type_kv == FOVEA_INT8) {
        const size_t count = (size_t)shape->batch * (size_t)shape->heads_kv * (size_t)shape->len_kv;
        const int64_t strides[3] = {(int64_t)shape->heads_kv * shape->len_kv, shape->len_kv, 1};
        c->args.k_scales = make_scales(&c->pages, count);
        c->args.v_scales = make_scales(&c->pages, count);
        for (int32_t i = 0; i < 3; i++)
            c->args.k_scale_strides[i] = c->args.v_scale_strides[i] = strides[i];
    }
}

/* Bytes of make_inputs, at most. */
static size_t input_bytes(const bench_shape *shape) {
    const size_t plane = (size_t)shape->len_q * (size_t)shape->len_kv;
    const size_t scales = (size_t)shape->batch * (size_t)shape->heads_kv * (size_t)shape->len_kv * sizeof(float);
    return (has_mask(shape) ? bench_page_round(plane) : 0) +
           (has_bias(shape) ? bench_page_round(bias_elements(shape) * sizeof(float)) : 0) +
           (shape->feature == SHAPE_ALIBI ? bench_page_round((size_t)shape->heads_q * sizeof(float)) : 0) +
           (shape->type_kv == FOVEA_INT8 ? 2 * bench_page_round(scales) : 0);
}

static fovea_status run_once(const call *c) {
    if (c->shape.prefix)
        return fovea_attention_prefix(&c->desc, &c->args, &c->prefix, NULL);
    return c->shape.one_call ? fovea_attention(&c->desc, &c->args, NULL) : fovea_execute(c->plan, &c->args, NULL);
}

static void call_once(call *c) {
    const size_t turn = (size_t)c->turn;
    c->args.q = c->q + turn * c->q_step;
    c->args.k = c->k + turn * c->kv_step;
    c->args.v = c->v + turn * c->kv_step;
    c->args.out = c->out + turn * c->out_step;
    c->turn = (c->turn + 1) % c->shape.rotation;
    if (c->shape.prefix) {
        const int64_t bytes = (int64_t)bench_type_size(c->shape.type_kv);
        c->args.k = c->k + c->shape.shared * c->args.k_strides[2] * bytes;
        c->args.v = c->v + c->shape.shared * c->args.v_strides[2] * bytes;
    }
    const fovea_status status = run_once(c);
    if (status != FOVEA_OK) {
        /* A wrong figure would be worse than none. */
        fprintf(stderr, "fovea-bench: %s failed: %s\n", c->shape.name, fovea_last_reason());
        exit(1);
    }
}

static void close_call(call *c) {
    fovea_plan_destroy(c->plan);
    bench_pages_unmap(&c->pages);
}

static bench_outcome open_call(call *c, const bench_shape *shape, const bench_case *item, fovea_exp exp, char *reason,
                               size_t reason_size) {
    *c = (call){.shape = *shape, .desc = desc_of(shape, item->backend->isa, exp)};
    const fovea_status status = fovea_plan_create(&c->desc, &c->plan);
    if (status != FOVEA_OK) {
        snprintf(reason, reason_size, "%s", fovea_last_reason());
        return status == FOVEA_UNSUPPORTED ? BENCH_UNSUPPORTED : BENCH_FAILED;
    }

    c->args = (fovea_attention_args){
        .struct_size = sizeof c->args, .len_q = (int64_t)c->desc.len_q, .len_kv = (int64_t)c->desc.len_kv};
    const size_t q_count = set_strides(shape, shape->heads_q, shape->len_q, c->args.q_strides);
    const size_t kv_count = set_strides(shape, shape->heads_kv, shape->len_kv, c->args.k_strides);
    if (shape->page_size)
        (void)set_strides(shape, shape->heads_kv, shape->page_size, c->args.k_strides);
    if (shape->shared)
        c->args.k_strides[0] = 0;
    memcpy(c->args.v_strides, c->args.k_strides, sizeof c->args.v_strides);
    (void)set_strides(shape, shape->heads_q, shape->len_q, c->args.out_strides);
    const size_t q_bytes = q_count * bench_type_size(shape->type_q);
    const size_t kv_bytes = kv_count / (shape->shared ? (size_t)shape->batch : 1) * bench_type_size(shape->type_kv);
    if (!shape->prefix)
        c->args.workspace_size = fovea_plan_workspace_size(c->plan, shape->threads);
    const size_t total = 2 * bench_page_round(q_bytes) + 2 * bench_page_round(kv_bytes) + input_bytes(shape) +
                         list_bytes(shape) + bench_page_round(c->args.workspace_size);
    if (!bench_pages_map(&c->pages, total, item->options->huge_pages)) {
        fovea_plan_destroy(c->plan);
        snprintf(reason, reason_size, "out of memory");
        return BENCH_FAILED;
    }
    c->kv_bytes = kv_bytes;
    c->q = bench_pages_cut(&c->pages, q_bytes);
    c->k = bench_pages_cut(&c->pages, kv_bytes);
    c->v = bench_pages_cut(&c->pages, kv_bytes);
    c->out = bench_pages_cut(&c->pages, q_bytes);
    if (c->args.workspace_size)
        c->args.workspace = bench_pages_cut(&c->pages, c->args.workspace_size);
    c->q_step = (size_t)(shape->heads_q * c->args.q_strides[1]) * bench_type_size(shape->type_q);
    c->kv_step = (size_t)(shape->heads_kv * c->args.k_strides[1]) * bench_type_size(shape->type_kv);
    c->out_step = c->q_step;
    bench_fill(c->q, shape->type_q, q_count, 1);
    bench_fill(c->k, shape->type_kv, kv_bytes / bench_type_size(shape->type_kv), 2);
    bench_fill(c->v, shape->type_kv, kv_bytes / bench_type_size(shape->type_kv), 3);
    if (shape->feature == SHAPE_RISING)
        fill_rising(c);
    make_inputs(c);
    make_lists(c);
    if (shape->prefix) {
        c->prefix = (fovea_prefix_args){.struct_size = sizeof c->prefix, .len = shape->shared, .k = c->k, .v = c->v};
        memcpy(c->prefix.k_strides, c->args.k_strides + 1, sizeof c->prefix.k_strides);
        memcpy(c->prefix.v_strides, c->args.v_strides + 1, sizeof c->prefix.v_strides);
    }
    call_once(c);
    return BENCH_OPENED;
}

static int32_t has_base(const bench_case *item) {
    return item->limit == BENCH_LIMIT_BASE || item->limit == BENCH_LIMIT_SPEEDUP;
}

/* The shape as written, with the rotation of its variant. */
static bench_shape case_shape(const bench_case *item) {
    bench_shape shape = *(const bench_shape *)item->definition;
    if (item->variant)
        shape.rotation = shape.cold_rotation;
    return shape;
}

static fovea_exp case_exp(const bench_case *item) {
    return strcmp(item->exp, "sleef") == 0 ? FOVEA_EXP_SLEEF : FOVEA_EXP_FUSED;
}

static bench_outcome calls_open(bench_case *item, char *reason, size_t reason_size) {
    if (!bench_backend_allowed(item->backend, reason, reason_size))
        return BENCH_UNSUPPORTED;
    call_pair *pair = calloc(1, sizeof *pair);
    if (!pair) {
        snprintf(reason, reason_size, "out of memory");
        return BENCH_FAILED;
    }
    const bench_shape written = case_shape(item);
    const bench_shape shape = resolve(&written, item->options);
    bench_outcome outcome = open_call(&pair->subject, &shape, item, case_exp(item), reason, reason_size);
    if (outcome == BENCH_OPENED && has_base(item)) {
        const bench_shape plain = base_of(&written);
        const bench_shape base = resolve(&plain, item->options);
        const fovea_exp exp = shape.base_sleef ? FOVEA_EXP_SLEEF : case_exp(item);
        outcome = open_call(&pair->base, &base, item, exp, reason, reason_size);
        if (outcome != BENCH_OPENED)
            close_call(&pair->subject);
        item->base_flops = useful_flops(shape.base_unwindowed ? &shape : &base);
    }
    if (outcome != BENCH_OPENED) {
        free(pair);
        return outcome;
    }

    const call *subject = &pair->subject;
    const size_t kv_bytes = subject->kv_bytes;
    item->data = pair;
    item->flops = useful_flops(&shape);
    /* Prefill reads its keys many times: only decoding has a number of bytes that says something. */
    item->bytes = shape.len_q == 1 && item->limit != BENCH_LIMIT_LATENCY ? 2.0 * (double)kv_bytes : 0.0;
    item->regions = (bench_regions){subject->k, subject->v, bench_page_round(kv_bytes)};
    return BENCH_OPENED;
}

static void calls_run(bench_case *item, int64_t times) {
    call_pair *pair = item->data;
    for (int64_t i = 0; i < times; i++)
        call_once(&pair->subject);
}

static void calls_run_base(bench_case *item, int64_t times) {
    call_pair *pair = item->data;
    for (int64_t i = 0; i < times; i++)
        call_once(&pair->base);
}

static void calls_close(bench_case *item) {
    call_pair *pair = item->data;
    close_call(&pair->subject);
    close_call(&pair->base);
    free(pair);
    item->data = NULL;
}

static const bench_case_type call_type = {calls_open, calls_run, calls_run_base, calls_close};

static void add(bench_list *list, const fv_backend *backend, const bench_options *options, const bench_shape *shape,
                const char *exp, int32_t cold) {
    const int32_t threads = shape->threads ? shape->threads : options->threads;
    const bench_case item = {
        .backend = backend,
        .options = options,
        .type = &call_type,
        .definition = shape,
        .variant = cold,
        .limit = shape->limit,
        .threads = threads,
        .clock = threads > 1 || shape->limit == BENCH_LIMIT_READ ? BENCH_CLOCK_WALL : BENCH_CLOCK_THREAD,
    };
    char row[BENCH_NAME_SIZE];
    snprintf(row, sizeof row, "%s%s", shape->name, cold ? "/cold" : "");
    bench_list_add(list, &item, "call", exp, row);
}

void bench_add_calls(bench_list *list, const fv_backend *backend, const bench_options *options) {
    static const char *const exps[] = {"sleef", "fused"};
    static const shape_exps excluded[] = {SHAPE_FUSED, SHAPE_SLEEF};
    for (int32_t i = 0; i < bench_shape_count; i++) {
        const bench_shape *shape = &bench_shapes[i];
        for (int32_t exp = 0; exp < 2; exp++) {
            if (shape->exps == excluded[exp])
                continue;
            add(list, backend, options, shape, exps[exp], 0);
            if (shape->cold_rotation)
                add(list, backend, options, shape, exps[exp], 1);
        }
    }
}
