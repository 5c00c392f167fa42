/* Calls that move rows: fovea_kv_append and fovea_rope. They are held against a memcpy of as many bytes, counted as
 * read and as written. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "case.h"
#include "fill.h"
#include "fovea/fovea.h"
#include "pages.h"

/* One call. Tokens are (batch, len, heads, dim), as a projection leaves them; rows of the cache follow one another for
 * each head. */
typedef struct row_shape {
    const char *name;
    int32_t batch;
    /* New tokens of each sequence. */
    int32_t len;
    int32_t heads_q;
    int32_t heads_kv;
    int32_t dim;
    fovea_type from;
    /* Appending: the cache, and how many tokens of a sequence it holds. Tokens of the next call go behind those of the
     * last one, and begin again when it is full. 0: no cache, queries and keys are turned in place. */
    int32_t capacity;
    fovea_type to;
    /* Tokens of a page, the pages lying in random order; 0: no pages. */
    int32_t page_size;
    /* New keys are turned. */
    int32_t turned;
} row_shape;

/* Decoding: 32 MiB of f32 keys or values, so that they come from memory. */
#define DECODE .batch = 32, .len = 1, .heads_kv = 8, .dim = 128, .capacity = 256
#define PREFILL .batch = 1, .len = 2048, .heads_kv = 8, .dim = 128, .capacity = 2048
#define IN_PLACE .batch = 1, .len = 2048, .heads_q = 32, .heads_kv = 8, .dim = 128
#define PAGED .page_size = 16

static const row_shape shapes[] = {
    {.name = "append/f32-f32/B=32/S=1/KV=8/D=128", DECODE},
    {.name = "append/f32-f16/B=32/S=1/KV=8/D=128", DECODE, .to = FOVEA_F16},
    {.name = "append/f32-int8/B=32/S=1/KV=8/D=128", DECODE, .to = FOVEA_INT8},
    {.name = "append/f32-f32/paged=16/B=32/S=1/KV=8/D=128", DECODE, PAGED},
    {.name = "append/f32-f16/paged=16/B=32/S=1/KV=8/D=128", DECODE, PAGED, .to = FOVEA_F16},
    {.name = "append/f32-int8/paged=16/B=32/S=1/KV=8/D=128", DECODE, PAGED, .to = FOVEA_INT8},
    {.name = "append/f32-f32/S=2048/KV=8/D=128", PREFILL},
    {.name = "append/f32-f16/S=2048/KV=8/D=128", PREFILL, .to = FOVEA_F16},
    {.name = "append/f32-int8/S=2048/KV=8/D=128", PREFILL, .to = FOVEA_INT8},
    {.name = "append/f32-f32/paged=16/S=2048/KV=8/D=128", PREFILL, PAGED},
    {.name = "append/f32-f16/paged=16/S=2048/KV=8/D=128", PREFILL, PAGED, .to = FOVEA_F16},
    {.name = "append/f32-int8/paged=16/S=2048/KV=8/D=128", PREFILL, PAGED, .to = FOVEA_INT8},
    {.name = "append/f32-f32/turned/B=32/S=1/KV=8/D=128", DECODE, .turned = 1},
    {.name = "append/f32-f32/turned/S=2048/KV=8/D=128", PREFILL, .turned = 1},
    {.name = "append/f32-f16/turned/S=2048/KV=8/D=128", PREFILL, .turned = 1, .to = FOVEA_F16},
    {.name = "rope/f32/in-place/S=2048/H=32/KV=8/D=128", IN_PLACE},
    {.name = "rope/bf16/in-place/S=2048/H=32/KV=8/D=128", IN_PLACE, .from = FOVEA_BF16},
};

enum { SHAPES = sizeof shapes / sizeof shapes[0], SMOKE_LEN = 32 };

typedef struct row_call {
    row_shape shape;
    bench_pages pages;
    fovea_rotation rotation;
    fovea_kv_append_args append;
    fovea_rope_args rope;
    int32_t *positions;
    /* What memcpy moves, and where it stands in the memory that it fills piece by piece. */
    unsigned char *from;
    unsigned char *to;
    size_t piece;
    size_t filled;
    size_t room;
} row_call;

static row_shape resolve(const row_shape *shape, const bench_options *options) {
    row_shape resolved = *shape;
    if (options->smoke && resolved.len > SMOKE_LEN)
        resolved.len = SMOKE_LEN;
    if (options->smoke && resolved.capacity > SMOKE_LEN)
        resolved.capacity = SMOKE_LEN;
    return resolved;
}

static size_t tokens(const row_shape *shape) {
    return (size_t)shape->batch * (size_t)shape->len;
}

/* Elements of a token's queries and keys, or keys and values. */
static size_t token_elements(const row_shape *shape) {
    const int32_t heads = shape->capacity ? 2 * shape->heads_kv : shape->heads_q + shape->heads_kv;
    return (size_t)heads * (size_t)shape->dim;
}

/* Bytes of keys, or of values, of the cache; and of its scales. */
static size_t cache_bytes(const row_shape *shape) {
    return (size_t)shape->batch * (size_t)shape->capacity * (size_t)(shape->heads_kv * shape->dim) *
           bench_type_size(shape->to);
}

static size_t scale_bytes(const row_shape *shape) {
    const size_t rows = (size_t)shape->batch * (size_t)shape->capacity * (size_t)shape->heads_kv;
    return shape->to == FOVEA_INT8 ? rows * sizeof(float) : 0;
}

static size_t bytes_read(const row_shape *shape) {
    return tokens(shape) * token_elements(shape) * bench_type_size(shape->from);
}

static size_t bytes_written(const row_shape *shape) {
    if (!shape->capacity)
        return bytes_read(shape);
    const size_t scales = shape->to == FOVEA_INT8 ? 2 * (size_t)shape->heads_kv * sizeof(float) : 0;
    return tokens(shape) * (token_elements(shape) * bench_type_size(shape->to) + scales);
}

/* Strides of (batch, heads, len, dim) tokens: those of a token's rows are `row` elements apart from the next token's.
 */
static void token_strides(const row_shape *shape, int64_t strides[4]) {
    const int64_t row = (int64_t)token_elements(shape);
    const int64_t found[4] = {shape->len * row, shape->dim, row, 1};
    memcpy(strides, found, sizeof found);
}

/* Strides of the cache: (batch or page, heads, tokens, dim). */
static void cache_strides(const row_shape *shape, int64_t strides[4]) {
    const int64_t head = (int64_t)(shape->page_size ? shape->page_size : shape->capacity) * shape->dim;
    const int64_t found[4] = {shape->heads_kv * head, head, shape->dim, 1};
    memcpy(strides, found, sizeof found);
}

/* Pages in random order. */
static void make_table(row_call *c) {
    const row_shape *shape = &c->shape;
    const int32_t each = shape->capacity / shape->page_size, all = each * shape->batch;
    int32_t *table = bench_pages_cut(&c->pages, (size_t)all * sizeof *table);
    bench_fill_order(table, all, 1);
    c->append.block_table = table;
    c->append.block_table_strides[0] = each;
    c->append.block_table_strides[1] = 1;
    c->append.pages = all;
    c->append.page_size = shape->page_size;
    c->append.form_kv = FOVEA_FORM_PAGED;
}

static void make_append(row_call *c, const bench_case *item, const unsigned char *rows) {
    const row_shape *shape = &c->shape;
    fovea_kv_append_args *args = &c->append;
    *args = (fovea_kv_append_args){.struct_size = sizeof *args,
                                   .batch = shape->batch,
                                   .heads_kv = shape->heads_kv,
                                   .len_new = shape->len,
                                   .len_kv = shape->capacity,
                                   .head_dim = shape->dim,
                                   .head_dim_v = shape->dim,
                                   .type_new = shape->from,
                                   .type_kv = shape->to,
                                   .isa_cap = item->backend->isa,
                                   .threads = item->threads};
    args->k_new = rows;
    args->v_new = rows + (size_t)(shape->heads_kv * shape->dim) * bench_type_size(shape->from);
    token_strides(shape, args->k_new_strides);
    token_strides(shape, args->v_new_strides);
    args->k = bench_pages_cut(&c->pages, cache_bytes(shape));
    args->v = bench_pages_cut(&c->pages, cache_bytes(shape));
    cache_strides(shape, args->k_strides);
    cache_strides(shape, args->v_strides);
    if (shape->to == FOVEA_INT8) {
        args->k_scales = bench_pages_cut(&c->pages, scale_bytes(shape));
        args->v_scales = bench_pages_cut(&c->pages, scale_bytes(shape));
        for (int32_t i = 0; i < 3; i++)
            args->k_scale_strides[i] = args->v_scale_strides[i] = args->k_strides[i] / shape->dim;
    }
    c->positions = bench_pages_cut(&c->pages, (size_t)shape->batch * sizeof *c->positions);
    args->first_positions = c->positions;
    if (shape->page_size)
        make_table(c);
    args->rotation = shape->turned ? &c->rotation : NULL;
}

static void make_rope(row_call *c, const bench_case *item, unsigned char *rows) {
    const row_shape *shape = &c->shape;
    fovea_rope_args *args = &c->rope;
    *args = (fovea_rope_args){.struct_size = sizeof *args,
                              .batch = shape->batch,
                              .heads_q = shape->heads_q,
                              .heads_kv = shape->heads_kv,
                              .len = shape->len,
                              .head_dim = shape->dim,
                              .type = shape->from,
                              .isa_cap = item->backend->isa,
                              .threads = item->threads};
    args->q = args->q_out = rows;
    args->k = args->k_out = rows + (size_t)(shape->heads_q * shape->dim) * bench_type_size(shape->from);
    token_strides(shape, args->q_strides);
    token_strides(shape, args->q_out_strides);
    token_strides(shape, args->k_strides);
    token_strides(shape, args->k_out_strides);
    args->rotation = &c->rotation;
}

/* The next call's tokens go behind the last one's. */
static void move_positions(row_call *c) {
    for (int32_t b = 0; b < c->shape.batch; b++) {
        c->positions[b] += c->shape.len;
        if (c->positions[b] + c->shape.len > c->shape.capacity)
            c->positions[b] = 0;
    }
}

static void call_once(row_call *c) {
    const fovea_status status = c->shape.capacity ? fovea_kv_append(&c->append, NULL) : fovea_rope(&c->rope, NULL);
    if (status != FOVEA_OK) {
        /* A wrong figure would be worse than none. */
        fprintf(stderr, "fovea-bench: %s failed: %s\n", c->shape.name, fovea_last_reason());
        exit(1);
    }
    if (c->shape.capacity)
        move_positions(c);
}

/* Page by page: a memcpy of megabytes would write past the caches, where the reader of a cache of keys would miss them.
 */
static void copy_once(row_call *c) {
    for (size_t at = 0; at < c->piece; at += BENCH_PAGE)
        memcpy(c->to + c->filled + at, c->from + at, c->piece - at < BENCH_PAGE ? c->piece - at : BENCH_PAGE);
    c->filled += c->piece;
    if (c->filled + c->piece > c->room)
        c->filled = 0;
}

static bench_outcome row_call_open(bench_case *item, char *reason, size_t reason_size) {
    if (!bench_backend_allowed(item->backend, reason, reason_size))
        return BENCH_UNSUPPORTED;
    row_call *c = calloc(1, sizeof *c);
    const row_shape shape = resolve(item->definition, item->options);
    const size_t read = bytes_read(&shape), written = bytes_written(&shape), cache = cache_bytes(&shape);
    const size_t piece = (read + written) / 2, room = 2 * cache > piece ? 2 * cache : piece;
    const size_t table = shape.page_size ? (size_t)shape.batch * (size_t)shape.capacity * sizeof(int32_t) : 0;
    const size_t sizes[] = {read,
                            cache,
                            cache,
                            scale_bytes(&shape),
                            scale_bytes(&shape),
                            table,
                            piece,
                            room,
                            (size_t)shape.batch * sizeof(int32_t)};
    size_t total = 0;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        total += bench_page_round(sizes[i]);
    if (!c || !bench_pages_map(&c->pages, total, item->options->huge_pages)) {
        free(c);
        snprintf(reason, reason_size, "out of memory");
        return BENCH_FAILED;
    }
    c->shape = shape;
    c->rotation.struct_size = sizeof c->rotation;
    unsigned char *rows = bench_pages_cut(&c->pages, read);
    bench_fill(rows, shape.from, read / bench_type_size(shape.from), 1);
    c->piece = piece;
    c->room = room;
    c->from = bench_pages_cut(&c->pages, piece);
    c->to = bench_pages_cut(&c->pages, room);
    bench_fill(c->from, FOVEA_F32, piece / sizeof(float), 2);
    if (shape.capacity)
        make_append(c, item, rows);
    else
        make_rope(c, item, rows);
    call_once(c);
    item->data = c;
    item->bytes = (double)(read + written);
    item->base_bytes = 2.0 * (double)piece;
    return BENCH_OPENED;
}

static void row_call_run(bench_case *item, int64_t times) {
    for (int64_t i = 0; i < times; i++)
        call_once(item->data);
}

static void row_call_run_base(bench_case *item, int64_t times) {
    for (int64_t i = 0; i < times; i++)
        copy_once(item->data);
}

static void row_call_close(bench_case *item) {
    row_call *c = item->data;
    bench_pages_unmap(&c->pages);
    free(c);
    item->data = NULL;
}

static const bench_case_type row_call_type = {row_call_open, row_call_run, row_call_run_base, row_call_close};

void bench_add_row_calls(bench_list *list, const fv_backend *backend, const bench_options *options) {
    for (int32_t i = 0; i < SHAPES; i++) {
        const bench_case item = {
            .backend = backend,
            .options = options,
            .type = &row_call_type,
            .definition = &shapes[i],
            .limit = BENCH_LIMIT_COPY,
            /* memcpy runs on one. */
            .threads = 1,
        };
        bench_list_add(list, &item, "call", NULL, shapes[i].name);
    }
}
