#include "src/validate.h"

#include <inttypes.h>

#include "src/index.h"
#include "src/status.h"
#include "src/validate_internal.h"

static const int64_t one_stride[] = {1};

static fovea_status check_length(const char *name, int64_t length, int64_t capacity) {
    if (length < 0 || length > capacity)
        return fv_fail(FOVEA_INVALID, "%s (%" PRId64 ") is not in 0 ... %" PRId64 ", the plan's capacity", name, length,
                       capacity);
    return FOVEA_OK;
}

/* Optional pointers, as bits; those that desc.inputs announces have the same bit there. */
enum {
    GIVEN_MASK = FOVEA_INPUT_MASK,
    GIVEN_BIAS = FOVEA_INPUT_BIAS,
    GIVEN_KEY_LENGTHS = FOVEA_INPUT_KEY_LENGTHS,
    GIVEN_FIRST_KEYS = FOVEA_INPUT_FIRST_KEYS,
    GIVEN_ALIBI_SLOPES = FOVEA_INPUT_ALIBI,
    GIVEN_SINKS = FOVEA_INPUT_SINKS,
    GIVEN_QUERY_OFFSETS = 1 << 8,
    GIVEN_CU_SEQLENS_Q = 1 << 9,
    GIVEN_CU_SEQLENS_KV = 1 << 10,
    GIVEN_BLOCK_TABLE = 1 << 11,
    GIVEN_PAGES = 1 << 12,
    GIVEN_K_SCALES = 1 << 13,
    GIVEN_V_SCALES = 1 << 14,
    GIVEN_LSE = 1 << 15,
    GIVEN_WEIGHTS = 1 << 16
};

static fovea_status refuse_unannounced(uint32_t unannounced) {
    static const struct {
        uint32_t bit;
        const char *name;
        const char *announcer;
    } optional[] = {
        {GIVEN_MASK, "mask", "inputs"},
        {GIVEN_BIAS, "bias", "inputs"},
        {GIVEN_KEY_LENGTHS, "key_lengths", "inputs"},
        {GIVEN_FIRST_KEYS, "first_keys", "inputs"},
        {GIVEN_ALIBI_SLOPES, "alibi_slopes", "inputs"},
        {GIVEN_SINKS, "sinks", "inputs"},
        {GIVEN_QUERY_OFFSETS, "query_offsets", "diagonal"},
        {GIVEN_CU_SEQLENS_Q, "cu_seqlens_q", "form_q"},
        {GIVEN_CU_SEQLENS_KV, "cu_seqlens_kv", "form_kv"},
        {GIVEN_BLOCK_TABLE, "block_table", "form_kv"},
        {GIVEN_PAGES, "pages", "form_kv"},
        {GIVEN_K_SCALES, "k_scales", "type_kv"},
        {GIVEN_V_SCALES, "v_scales", "type_kv"},
        {GIVEN_LSE, "lse", "outputs"},
        {GIVEN_WEIGHTS, "weights", "weights"},
    };
    size_t i = 0;
    while ((optional[i].bit & unannounced) == 0)
        i++;
    return fv_fail(FOVEA_INVALID, "%s is given, but desc.%s does not announce it", optional[i].name,
                   optional[i].announcer);
}

static uint32_t bit_if(int32_t condition, uint32_t bit) {
    return condition ? bit : 0;
}

/* A pointer that the descriptor does not announce would be ignored silently: it must be NULL, even for an empty
 * problem. */
static fovea_status check_unannounced(const fovea_attention_desc *desc, const fovea_attention_args *args) {
    const int32_t paged = desc->form_kv == FOVEA_FORM_PAGED;
    const uint32_t announced = desc->inputs | bit_if(paged, GIVEN_KEY_LENGTHS | GIVEN_BLOCK_TABLE | GIVEN_PAGES) |
                               bit_if(desc->diagonal == FOVEA_DIAGONAL_OFFSETS, GIVEN_QUERY_OFFSETS) |
                               bit_if(desc->form_q == FOVEA_FORM_PACKED, GIVEN_CU_SEQLENS_Q) |
                               bit_if(desc->form_kv == FOVEA_FORM_PACKED, GIVEN_CU_SEQLENS_KV) |
                               bit_if(desc->type_kv == FOVEA_INT8, GIVEN_K_SCALES | GIVEN_V_SCALES) |
                               bit_if((desc->outputs & FOVEA_OUTPUT_LSE) != 0, GIVEN_LSE) |
                               bit_if(desc->weights != FOVEA_WEIGHTS_NONE, GIVEN_WEIGHTS);
    const uint32_t given =
        bit_if(args->mask != NULL, GIVEN_MASK) | bit_if(args->bias != NULL, GIVEN_BIAS) |
        bit_if(args->key_lengths != NULL, GIVEN_KEY_LENGTHS) | bit_if(args->first_keys != NULL, GIVEN_FIRST_KEYS) |
        bit_if(args->alibi_slopes != NULL, GIVEN_ALIBI_SLOPES) | bit_if(args->sinks != NULL, GIVEN_SINKS) |
        bit_if(args->query_offsets != NULL, GIVEN_QUERY_OFFSETS) |
        bit_if(args->cu_seqlens_q != NULL, GIVEN_CU_SEQLENS_Q) |
        bit_if(args->cu_seqlens_kv != NULL, GIVEN_CU_SEQLENS_KV) |
        bit_if(args->block_table != NULL, GIVEN_BLOCK_TABLE) | bit_if(args->pages != 0, GIVEN_PAGES) |
        bit_if(args->k_scales != NULL, GIVEN_K_SCALES) | bit_if(args->v_scales != NULL, GIVEN_V_SCALES) |
        bit_if(args->lse != NULL, GIVEN_LSE) | bit_if(args->weights != NULL, GIVEN_WEIGHTS);
    const uint32_t unannounced = given & ~announced;
    return unannounced == 0 ? FOVEA_OK : refuse_unannounced(unannounced);
}

/* Sizes of the axes that depend on the forms: of batch entries, sequences or pages, and of tokens in each. */
typedef struct axes {
    int64_t outer_q;
    int64_t outer_kv;
    int64_t rows_kv;
    int64_t max_pages;
} axes;

static axes axes_of(const fovea_attention_desc *desc, const fovea_attention_args *args) {
    axes found = {desc->batch, desc->batch, args->len_kv, 0};
    if (desc->form_q == FOVEA_FORM_PACKED)
        found.outer_q = 1;
    if (desc->form_kv == FOVEA_FORM_PACKED)
        found.outer_kv = 1;
    if (desc->form_kv == FOVEA_FORM_PAGED) {
        found.outer_kv = args->pages;
        found.rows_kv = desc->page_size;
        found.max_pages = args->len_kv / desc->page_size;
    }
    return found;
}

/* Gathers the lists of offsets and pages by which the forms find their tokens. */
static void gather_forms(const fovea_attention_desc *desc, const fovea_attention_args *args, int64_t max_pages,
                         fv_footprint *f) {
    const int64_t index_bytes = fv_index_bytes(desc->type_index);
    const int64_t offsets = desc->batch + 1;
    if (desc->form_q == FOVEA_FORM_PACKED)
        fv_reads(f, &(fv_operand){"cu_seqlens_q", args->cu_seqlens_q, index_bytes, 1, 1, {offsets}, one_stride});
    if (desc->form_kv == FOVEA_FORM_PACKED)
        fv_reads(f, &(fv_operand){"cu_seqlens_kv", args->cu_seqlens_kv, index_bytes, 1, 1, {offsets}, one_stride});
    if (desc->form_kv == FOVEA_FORM_PAGED)
        fv_reads(f, &(fv_operand){"block_table",
                                  args->block_table,
                                  index_bytes,
                                  2,
                                  0,
                                  {desc->batch, max_pages},
                                  args->block_table_strides});
}

/* Gathers what a problem that is not empty touches. */
static void gather(const fovea_attention_desc *desc, const fovea_attention_args *args, fv_footprint *f) {
    const int64_t batch = desc->batch;
    const int64_t heads_q = desc->heads_q;
    const int64_t heads_kv = desc->heads_kv;
    const int64_t len_q = args->len_q;
    const int64_t len_kv = args->len_kv;
    const axes form = axes_of(desc, args);
    const int64_t outer_q = form.outer_q, outer_kv = form.outer_kv, rows_kv = form.rows_kv;
    const int64_t q_bytes = fv_type_bytes(desc->type_q);
    const int64_t kv_bytes = fv_type_bytes(desc->type_kv);
    const int64_t index_bytes = fv_index_bytes(desc->type_index);

    const fv_operand q = {"q", args->q, q_bytes, 4, 1, {outer_q, heads_q, len_q, desc->head_dim}, args->q_strides};
    const fv_operand k = {"k", args->k, kv_bytes, 4, 1, {outer_kv, heads_kv, rows_kv, desc->head_dim}, args->k_strides};
    const fv_operand v = {
        "v", args->v, kv_bytes, 4, 1, {outer_kv, heads_kv, rows_kv, desc->head_dim_v}, args->v_strides};
    const fv_operand out = {"out",
                            args->out,
                            fv_type_bytes(desc->type_out),
                            4,
                            1,
                            {outer_q, heads_q, len_q, desc->head_dim_v},
                            args->out_strides};
    fv_reads(f, &q);
    fv_reads(f, &k);
    fv_reads(f, &v);
    fv_writes(f, &out);
    gather_forms(desc, args, form.max_pages, f);

    if (desc->inputs & FOVEA_INPUT_MASK)
        fv_reads(f, &(fv_operand){"mask", args->mask, 1, 4, 0, {batch, heads_q, len_q, len_kv}, args->mask_strides});
    if (desc->inputs & FOVEA_INPUT_BIAS)
        fv_reads(f, &(fv_operand){"bias",
                                  args->bias,
                                  fv_type_bytes(desc->type_bias),
                                  4,
                                  0,
                                  {batch, heads_q, len_q, len_kv},
                                  args->bias_strides});
    if (desc->form_kv == FOVEA_FORM_PAGED || (desc->inputs & FOVEA_INPUT_KEY_LENGTHS))
        fv_reads(f, &(fv_operand){"key_lengths", args->key_lengths, index_bytes, 1, 1, {batch}, one_stride});
    if (desc->inputs & FOVEA_INPUT_FIRST_KEYS)
        fv_reads(f, &(fv_operand){"first_keys", args->first_keys, index_bytes, 1, 1, {batch}, one_stride});
    if (desc->diagonal == FOVEA_DIAGONAL_OFFSETS)
        fv_reads(f, &(fv_operand){"query_offsets", args->query_offsets, index_bytes, 1, 1, {batch}, one_stride});
    if (desc->inputs & FOVEA_INPUT_ALIBI)
        fv_reads(f, &(fv_operand){"alibi_slopes", args->alibi_slopes, 4, 2, 0, {batch, heads_q}, args->alibi_strides});
    if (desc->inputs & FOVEA_INPUT_SINKS)
        fv_reads(f, &(fv_operand){"sinks", args->sinks, 4, 1, 1, {heads_q}, one_stride});
    if (desc->type_kv == FOVEA_INT8) {
        fv_reads(f, &(fv_operand){
                        "k_scales", args->k_scales, 4, 3, 0, {outer_kv, heads_kv, rows_kv}, args->k_scale_strides});
        fv_reads(f, &(fv_operand){
                        "v_scales", args->v_scales, 4, 3, 0, {outer_kv, heads_kv, rows_kv}, args->v_scale_strides});
    }

    if (desc->outputs & FOVEA_OUTPUT_LSE)
        fv_writes(f, &(fv_operand){"lse", args->lse, 4, 3, 0, {outer_q, heads_q, len_q}, args->lse_strides});
    if (desc->weights != FOVEA_WEIGHTS_NONE) {
        const int64_t heads = desc->weights == FOVEA_WEIGHTS_MEAN_PROBABILITIES ? 1 : heads_q;
        fv_writes(
            f, &(fv_operand){"weights", args->weights, 4, 4, 1, {batch, heads, len_q, len_kv}, args->weights_strides});
    }
    /* Scratch is written too. */
    if (args->workspace != NULL)
        fv_writes(f, &(fv_operand){"workspace", args->workspace, 1, 1, 1, {(int64_t)args->workspace_size}, one_stride});
}

/* Keys that batch entry b has room for; its offsets are sound. */
static int64_t key_capacity(const fovea_attention_desc *desc, const fovea_attention_args *args, int64_t b) {
    if (desc->form_kv != FOVEA_FORM_PACKED)
        return args->len_kv;
    return fv_index_at(args->cu_seqlens_kv, desc->type_index, b + 1) -
           fv_index_at(args->cu_seqlens_kv, desc->type_index, b);
}

/* Checks that every value is in 0 ... the entry's capacity; NULL has none. */
static fovea_status check_positions(const char *name, const void *values, const fovea_attention_desc *desc,
                                    const fovea_attention_args *args) {
    if (values == NULL)
        return FOVEA_OK;
    const char *capacity_name = desc->form_kv == FOVEA_FORM_PACKED ? "the packed length" : "len_kv";
    for (int64_t b = 0; b < desc->batch; b++) {
        const int64_t value = fv_index_at(values, desc->type_index, b);
        const int64_t capacity = key_capacity(desc, args, b);
        if (value < 0 || value > capacity)
            return fv_fail(FOVEA_INVALID, "%s[%" PRId64 "] (%" PRId64 ") is not in 0 ... %s (%" PRId64 ")", name, b,
                           value, capacity_name, capacity);
    }
    return FOVEA_OK;
}

/* Checks the entries of the block table that name pages with keys; key_lengths were checked. */
static fovea_status check_pages(const fovea_attention_desc *desc, const fovea_attention_args *args) {
    const int64_t *strides = args->block_table_strides;
    for (int64_t b = 0; b < desc->batch; b++) {
        const int64_t length = fv_index_at(args->key_lengths, desc->type_index, b);
        for (int64_t i = 0; i * desc->page_size < length; i++) {
            const int64_t page = fv_index_at(args->block_table, desc->type_index, b * strides[0] + i * strides[1]);
            if (page < 0 || page >= args->pages)
                return fv_fail(FOVEA_INVALID,
                               "block_table[%" PRId64 ", %" PRId64 "] (%" PRId64 ") is not in 0 ... pages (%" PRId64
                               ") - 1",
                               b, i, page, args->pages);
        }
    }
    return FOVEA_OK;
}

/* Checks the values of every list of indices, in the order in which they rely on each other. */
static fovea_status check_indices(const fovea_attention_desc *desc, const fovea_attention_args *args) {
    fovea_status status = FOVEA_OK;
    if (desc->form_q == FOVEA_FORM_PACKED)
        status = fv_check_offsets("cu_seqlens_q", args->cu_seqlens_q, desc->type_index, desc->batch, args->len_q);
    if (status == FOVEA_OK && desc->form_kv == FOVEA_FORM_PACKED)
        status = fv_check_offsets("cu_seqlens_kv", args->cu_seqlens_kv, desc->type_index, desc->batch, args->len_kv);
    if (status == FOVEA_OK)
        status = check_positions("key_lengths", args->key_lengths, desc, args);
    if (status == FOVEA_OK)
        status = check_positions("first_keys", args->first_keys, desc, args);
    if (status == FOVEA_OK && desc->form_kv == FOVEA_FORM_PAGED)
        status = check_pages(desc, args);
    return status;
}

/* Checks the numbers that say how keys are paged. */
static fovea_status check_paging(const fovea_attention_desc *desc, const fovea_attention_args *args) {
    if (desc->form_kv != FOVEA_FORM_PAGED)
        return FOVEA_OK;
    if (args->pages < 0)
        return fv_fail(FOVEA_INVALID, "pages (%" PRId64 ") is negative", args->pages);
    if (args->len_kv % desc->page_size != 0)
        return fv_fail(FOVEA_INVALID, "len_kv (%" PRId64 ") is no multiple of page_size (%" PRId64 ")", args->len_kv,
                       desc->page_size);
    return FOVEA_OK;
}

fovea_status fv_validate_args(const fovea_attention_desc *desc, const fovea_attention_args *args) {
    fovea_status status = fv_check_struct("args", args, sizeof *args);
    if (status == FOVEA_OK)
        status = check_length("len_q", args->len_q, desc->len_q);
    if (status == FOVEA_OK)
        status = check_length("len_kv", args->len_kv, desc->len_kv);
    if (status == FOVEA_OK)
        status = check_paging(desc, args);
    if (status == FOVEA_OK)
        status = check_unannounced(desc, args);
    if (status != FOVEA_OK)
        return status;
    if (args->workspace == NULL && args->workspace_size != 0)
        return fv_fail(FOVEA_INVALID, "workspace is NULL, but workspace_size (%zu) is not 0", args->workspace_size);
    if (args->workspace_size > (size_t)FV_MAX_SPAN)
        return fv_fail(FOVEA_INVALID, "workspace_size (%zu) is larger than the address space", args->workspace_size);
    if (desc->batch == 0 || desc->heads_q == 0 || args->len_q == 0)
        return FOVEA_OK;

    fv_footprint footprint;
    footprint.status = FOVEA_OK;
    footprint.reads = 0;
    footprint.writes = 0;
    gather(desc, args, &footprint);
    status = fv_check_disjoint(&footprint);
    return status == FOVEA_OK ? check_indices(desc, args) : status;
}
