#include "src/validate.h"

#include <inttypes.h>
#include <string.h>

#include "src/append.h"
#include "src/integer.h"
#include "src/status.h"
#include "src/validate_internal.h"

static fovea_status check_choices(const fovea_kv_append_args *args) {
    /* Whatever type the compiler gives an enum, a negative value becomes a large one. */
    const struct {
        const char *name;
        uint32_t value;
        uint32_t largest;
    } choices[] = {
        {"type_new", (uint32_t)args->type_new, FOVEA_INT8},
        {"type_kv", (uint32_t)args->type_kv, FOVEA_INT8},
        {"type_index", (uint32_t)args->type_index, FOVEA_INDEX_INT64},
        {"form_new", (uint32_t)args->form_new, FOVEA_FORM_PAGED},
        {"form_kv", (uint32_t)args->form_kv, FOVEA_FORM_PAGED},
    };
    for (size_t i = 0; i < sizeof choices / sizeof choices[0]; i++)
        if (choices[i].value > choices[i].largest)
            return fv_fail(FOVEA_INVALID, "%s (%" PRId32 ") is no value of its enum", choices[i].name,
                           (int32_t)choices[i].value);
    if (args->type_new == FOVEA_INT8)
        return fv_fail(FOVEA_INVALID, "type_new is int8, which only the cache may be");
    if (args->form_new == FOVEA_FORM_PAGED)
        return fv_fail(FOVEA_INVALID, "form_new is paged, which only the cache may be");
    return FOVEA_OK;
}

static fovea_status check_sizes(const fovea_kv_append_args *args) {
    const struct {
        const char *name;
        int64_t value;
    } sizes[] = {
        {"batch", args->batch},         {"heads_kv", args->heads_kv}, {"len_new", args->len_new},
        {"len_kv", args->len_kv},       {"head_dim", args->head_dim}, {"head_dim_v", args->head_dim_v},
        {"page_size", args->page_size}, {"pages", args->pages},       {"threads", args->threads},
    };
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        if (sizes[i].value < 0)
            return fv_fail(FOVEA_INVALID, "%s (%" PRId64 ") is negative", sizes[i].name, sizes[i].value);
    if (args->form_kv != FOVEA_FORM_PAGED && args->page_size != 0)
        return fv_fail(FOVEA_INVALID, "page_size (%" PRId64 ") is given, but form_kv is not paged", args->page_size);
    if (args->form_kv == FOVEA_FORM_PAGED && (args->page_size == 0 || args->len_kv % args->page_size != 0))
        return fv_fail(FOVEA_INVALID, "len_kv (%" PRId64 ") is no multiple of page_size (%" PRId64 ")", args->len_kv,
                       args->page_size);
    return FOVEA_OK;
}

/* Room for f32 whatever the type, so that behind the border a product of sizes is safe. */
static fovea_status check_overflow(const fovea_kv_append_args *args) {
    const int64_t batch_new = args->form_new == FOVEA_FORM_PACKED ? 1 : args->batch;
    const int64_t batch_kv = args->form_kv == FOVEA_FORM_PACKED ? 1 : args->batch;
    const struct {
        const char *name;
        const char *product;
        int64_t sizes[4];
    } tensors[] = {
        {"k_new", "batch * heads_kv * len_new * head_dim", {batch_new, args->heads_kv, args->len_new, args->head_dim}},
        {"v_new",
         "batch * heads_kv * len_new * head_dim_v",
         {batch_new, args->heads_kv, args->len_new, args->head_dim_v}},
        {"k", "batch * heads_kv * len_kv * head_dim", {batch_kv, args->heads_kv, args->len_kv, args->head_dim}},
        {"v", "batch * heads_kv * len_kv * head_dim_v", {batch_kv, args->heads_kv, args->len_kv, args->head_dim_v}},
        {"k",
         "pages * page_size * heads_kv * head_dim",
         {args->pages, args->page_size, args->heads_kv, args->head_dim}},
        {"v",
         "pages * page_size * heads_kv * head_dim_v",
         {args->pages, args->page_size, args->heads_kv, args->head_dim_v}},
        {"batch", "batch", {args->batch, 2, 1, 1}},
    };
    fovea_status status = FOVEA_OK;
    for (size_t i = 0; i < sizeof tensors / sizeof tensors[0] && status == FOVEA_OK; i++)
        status = fv_check_bytes(tensors[i].name, tensors[i].product, sizeof(float), 4, tensors[i].sizes);
    return status;
}

/* What is given without its form or type would be ignored silently. */
static fovea_status check_unannounced(const fovea_kv_append_args *args) {
    const int32_t paged = args->form_kv == FOVEA_FORM_PAGED;
    const struct {
        const char *name;
        int32_t given;
        int32_t announced;
        const char *announcer;
    } optional[] = {
        {"lengths_new", args->lengths_new != NULL, args->form_new == FOVEA_FORM_DENSE, "form_new"},
        {"cu_seqlens_new", args->cu_seqlens_new != NULL, args->form_new == FOVEA_FORM_PACKED, "form_new"},
        {"cu_seqlens_kv", args->cu_seqlens_kv != NULL, args->form_kv == FOVEA_FORM_PACKED, "form_kv"},
        {"block_table", args->block_table != NULL, paged, "form_kv"},
        {"pages", args->pages != 0, paged, "form_kv"},
        {"k_scales", args->k_scales != NULL, args->type_kv == FOVEA_INT8, "type_kv"},
        {"v_scales", args->v_scales != NULL, args->type_kv == FOVEA_INT8, "type_kv"},
    };
    for (size_t i = 0; i < sizeof optional / sizeof optional[0]; i++)
        if (optional[i].given && !optional[i].announced)
            return fv_fail(FOVEA_INVALID, "%s is given, but %s does not announce it", optional[i].name,
                           optional[i].announcer);
    return FOVEA_OK;
}

/* The rows of one tensor. Without elements they have no scales either. */
static void gather_rows(const fovea_kv_append_args *args, fv_footprint *f, const fv_operand *rows_new,
                        const fv_operand *rows, const fv_operand *scales) {
    fv_reads(f, rows_new);
    fv_writes(f, rows);
    if (args->type_kv == FOVEA_INT8 && fv_has_elements(rows))
        fv_writes(f, scales);
}

static void gather(const fovea_kv_append_args *args, fv_footprint *f) {
    static const int64_t one_stride[] = {1};
    const int64_t heads = args->heads_kv, dim = args->head_dim, dim_v = args->head_dim_v;
    const int64_t new_bytes = fv_type_bytes(args->type_new), bytes = fv_type_bytes(args->type_kv);
    const int64_t index_bytes = fv_index_bytes(args->type_index);
    const int32_t paged = args->form_kv == FOVEA_FORM_PAGED;
    /* The first axis and that of tokens. */
    const int64_t outer_new = args->form_new == FOVEA_FORM_DENSE ? args->batch : 1;
    const int64_t outer = paged ? args->pages : args->form_kv == FOVEA_FORM_DENSE ? args->batch : 1;
    const int64_t len = paged ? args->page_size : args->len_kv;

    const fv_operand k_new = {
        "k_new", args->k_new, new_bytes, 4, 1, {outer_new, heads, args->len_new, dim}, args->k_new_strides};
    const fv_operand v_new = {
        "v_new", args->v_new, new_bytes, 4, 1, {outer_new, heads, args->len_new, dim_v}, args->v_new_strides};
    const fv_operand k = {"k", args->k, bytes, 4, 1, {outer, heads, len, dim}, args->k_strides};
    const fv_operand v = {"v", args->v, bytes, 4, 1, {outer, heads, len, dim_v}, args->v_strides};
    const fv_operand k_scales = {"k_scales", args->k_scales, 4, 3, 0, {outer, heads, len}, args->k_scale_strides};
    const fv_operand v_scales = {"v_scales", args->v_scales, 4, 3, 0, {outer, heads, len}, args->v_scale_strides};
    gather_rows(args, f, &k_new, &k, &k_scales);
    gather_rows(args, f, &v_new, &v, &v_scales);

    const fv_operand lists[] = {
        {"lengths_new", args->lengths_new, index_bytes, 1, 1, {args->lengths_new ? args->batch : 0}, one_stride},
        {"first_positions",
         args->first_positions,
         index_bytes,
         1,
         1,
         {args->first_positions ? args->batch : 0},
         one_stride},
        {"cu_seqlens_new",
         args->cu_seqlens_new,
         index_bytes,
         1,
         1,
         {args->form_new == FOVEA_FORM_PACKED ? args->batch + 1 : 0},
         one_stride},
        {"cu_seqlens_kv",
         args->cu_seqlens_kv,
         index_bytes,
         1,
         1,
         {args->form_kv == FOVEA_FORM_PACKED ? args->batch + 1 : 0},
         one_stride},
        {"block_table",
         args->block_table,
         index_bytes,
         2,
         0,
         {args->batch, paged ? args->len_kv / args->page_size : 0},
         args->block_table_strides},
    };
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        fv_reads(f, &lists[i]);
    const fv_tokens tokens = fv_new_tokens(args);
    if (args->rotation != NULL)
        fv_rotation_reads(f, args->rotation, &tokens, dim);
}

static fovea_status check_footprint(const fovea_kv_append_args *args) {
    fv_footprint footprint;
    footprint.status = FOVEA_OK;
    footprint.reads = 0;
    footprint.writes = 0;
    gather(args, &footprint);
    return fv_check_disjoint(&footprint);
}

static fovea_status check_indices(const fovea_kv_append_args *args) {
    const fv_tokens tokens = fv_new_tokens(args);
    fovea_status status = fv_check_tokens("cu_seqlens_new", "lengths_new", &tokens);
    if (status == FOVEA_OK && args->form_kv == FOVEA_FORM_PACKED)
        status = fv_check_offsets("cu_seqlens_kv", args->cu_seqlens_kv, args->type_index, args->batch, args->len_kv);
    return status;
}

static int64_t capacity_of(const fovea_kv_append_args *args, int64_t b) {
    if (args->form_kv != FOVEA_FORM_PACKED)
        return args->len_kv;
    return fv_index_at(args->cu_seqlens_kv, args->type_index, b + 1) -
           fv_index_at(args->cu_seqlens_kv, args->type_index, b);
}

static fovea_status check_positions(const fovea_kv_append_args *args) {
    const fv_tokens tokens = fv_new_tokens(args);
    for (int64_t b = 0; b < args->batch; b++) {
        const int64_t first = fv_first_position(args, b), count = fv_token_count(&tokens, b);
        const int64_t capacity = capacity_of(args, b);
        if (first < 0)
            return fv_fail(FOVEA_INVALID, "first_positions[%" PRId64 "] (%" PRId64 ") is negative", b, first);
        if (first > capacity || count > capacity - first)
            return fv_fail(FOVEA_INVALID,
                           "first_positions[%" PRId64 "] (%" PRId64 ") and %" PRId64
                           " new tokens exceed the capacity of %" PRId64,
                           b, first, count, capacity);
    }
    return FOVEA_OK;
}

static fovea_status check_angles(const fovea_kv_append_args *args) {
    const fv_tokens tokens = fv_new_tokens(args);
    return fv_check_angles(args->rotation, &tokens, args->first_positions, args->head_dim);
}

/* Entries [begin, end) of batch entry b's block table receive tokens. */
typedef struct page_range {
    int64_t begin;
    int64_t end;
} page_range;

static page_range pages_of(const fovea_kv_append_args *args, int64_t b) {
    const fv_tokens tokens = fv_new_tokens(args);
    const int64_t first = fv_first_position(args, b), count = fv_token_count(&tokens, b);
    if (count == 0)
        return (page_range){0, 0};
    return (page_range){first / args->page_size, (first + count - 1) / args->page_size + 1};
}

static fovea_status check_block_table(const fovea_kv_append_args *args) {
    for (int64_t b = 0; b < args->batch; b++) {
        const page_range range = pages_of(args, b);
        for (int64_t i = range.begin; i < range.end; i++) {
            const int64_t page = fv_page_at(args, b, i);
            if (page < 0 || page >= args->pages)
                return fv_fail(FOVEA_INVALID,
                               "block_table[%" PRId64 "][%" PRId64 "] (%" PRId64 ") is not in 0 ... pages - 1 (%" PRId64
                               ")",
                               b, i, page, args->pages - 1);
        }
    }
    return FOVEA_OK;
}

/* Page numbers looked at in one pass over the block table. */
enum { WINDOW = 1 << 16 };

/* Looks for a page in [begin, begin + WINDOW) that receives tokens twice; lowers *next to the first page behind. */
static fovea_status check_window(const fovea_kv_append_args *args, int64_t begin, int64_t *next) {
    uint64_t seen[WINDOW / 64];
    memset(seen, 0, sizeof seen);
    for (int64_t b = 0; b < args->batch; b++) {
        const page_range range = pages_of(args, b);
        for (int64_t i = range.begin; i < range.end; i++) {
            const int64_t page = fv_page_at(args, b, i), at = page - begin;
            if (at >= WINDOW)
                *next = fv_min64(*next, page);
            if (at < 0 || at >= WINDOW)
                continue;
            if (seen[at / 64] >> (at % 64) & 1)
                return fv_fail(FOVEA_INVALID,
                               "block_table[%" PRId64 "][%" PRId64 "]: page %" PRId64 " receives tokens already", b, i,
                               page);
            seen[at / 64] |= UINT64_C(1) << (at % 64);
        }
    }
    return FOVEA_OK;
}

/* Two tokens for one place would make the result a matter of chance. A bit for each page, for some pages at a time: no
 * memory is needed, and as few passes as there are stretches with pages in use. */
static fovea_status check_pages_distinct(const fovea_kv_append_args *args) {
    fovea_status status = FOVEA_OK;
    for (int64_t begin = 0, next; begin < args->pages && status == FOVEA_OK; begin = next) {
        next = args->pages;
        status = check_window(args, begin, &next);
    }
    return status;
}

fovea_status fv_validate_append(const fovea_kv_append_args *args) {
    fovea_status status = fv_check_struct("args", args, sizeof *args);
    if (status != FOVEA_OK)
        return status;
    static fovea_status (*const checks[])(const fovea_kv_append_args *) = {
        check_choices,
        check_sizes,
        check_overflow,
        check_unannounced,
    };
    for (size_t i = 0; i < sizeof checks / sizeof checks[0] && status == FOVEA_OK; i++)
        status = checks[i](args);
    if (status == FOVEA_OK && args->rotation != NULL)
        status = fv_check_rotation(args->rotation, args->head_dim);
    if (status != FOVEA_OK || args->batch == 0 || args->heads_kv == 0 || args->len_new == 0)
        return status;

    status = check_footprint(args);
    if (status == FOVEA_OK)
        status = check_indices(args);
    if (status == FOVEA_OK)
        status = check_positions(args);
    if (status == FOVEA_OK && args->rotation != NULL)
        status = check_angles(args);
    if (status == FOVEA_OK && args->form_kv == FOVEA_FORM_PAGED)
        status = check_block_table(args);
    if (status == FOVEA_OK && args->form_kv == FOVEA_FORM_PAGED)
        status = check_pages_distinct(args);
    return status;
}
