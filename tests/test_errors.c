/* Every status and its reason, through the public API: each case takes a call that works, changes one thing, and names
 * the status and a part of the reason. On an error nothing is written to memory and nothing is printed. */
#include <check.h>
#include <math.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fovea/fovea.h"

Suite *errors_suite(void);

enum { BATCH = 2, HEADS_Q = 4, HEADS_KV = 2, LEN_Q = 3, LEN_KV = 5, DIM = 8, DIM_V = 6, ROOM = 1024, TAIL = 16 };
enum { WORKSPACE_SIZE = 1 << 20, PARTS = 3 };

/* All memory that a call may read or write but for its workspace, so that one comparison shows a stray write. */
typedef struct memory {
    float q[ROOM];
    float k[ROOM];
    float v[ROOM];
    float out[ROOM];
    float bias[ROOM];
    float lse[ROOM];
    float weights[ROOM];
    int64_t wide_numbers[ROOM];
    int32_t numbers[ROOM];
    uint8_t mask[ROOM];
} memory;

typedef struct call {
    /* Followed by room for what a newer version may append. */
    struct {
        fovea_attention_desc now;
        unsigned char later[TAIL];
    } desc;
    struct {
        fovea_attention_args now;
        unsigned char later[TAIL];
    } args;
    const fovea_attention_desc *desc_pointer;
    const fovea_attention_args *args_pointer;
    fovea_executor executor;
    const fovea_executor *executor_pointer;
    fovea_allocator allocator;
    memory *m;
    void *workspace;
} call;

static void set_strides(int64_t *strides, int64_t heads, int64_t length, int64_t row) {
    strides[3] = 1;
    strides[2] = row;
    strides[1] = length * row;
    strides[0] = heads * length * row;
}

static void run_on_this_thread(void *context, int64_t tasks, fovea_task task, void *task_context) {
    (void)context;
    for (int64_t i = 0; i < tasks; i++)
        task(task_context, i, 0);
}

static void *no_memory(void *context, size_t size, size_t alignment) {
    (void)context;
    (void)size;
    (void)alignment;
    return NULL;
}

static void never_released(void *context, void *pointer, size_t size) {
    (void)context;
    (void)pointer;
    (void)size;
    ck_abort_msg("memory that was never given was released");
}

static memory *new_memory(void) {
    memory *m = calloc(1, sizeof *m);
    ck_assert_ptr_nonnull(m);
    for (int i = 0; i < ROOM; i++) {
        m->q[i] = (float)(i % 7) - 3;
        m->k[i] = (float)(i % 5) - 2;
        m->v[i] = (float)(i % 11);
        m->mask[i] = 1;
    }
    memset(m->out, 0xa5, sizeof m->out);
    memset(m->lse, 0xa5, sizeof m->lse);
    memset(m->weights, 0xa5, sizeof m->weights);
    return m;
}

/* A legal call without options. */
static void prepare(call *c) {
    memset(c, 0, sizeof *c);
    c->m = new_memory();
    c->workspace = malloc(WORKSPACE_SIZE);
    ck_assert_ptr_nonnull(c->workspace);
    c->desc.now = (fovea_attention_desc){
        .struct_size = sizeof(fovea_attention_desc),
        .batch = BATCH,
        .heads_q = HEADS_Q,
        .heads_kv = HEADS_KV,
        .len_q = LEN_Q,
        .len_kv = LEN_KV,
        .head_dim = DIM,
        .head_dim_v = DIM_V,
        .threads = 1,
    };
    fovea_attention_args *a = &c->args.now;
    *a = (fovea_attention_args){
        .struct_size = sizeof(fovea_attention_args),
        .len_q = LEN_Q,
        .len_kv = LEN_KV,
        .q = c->m->q,
        .k = c->m->k,
        .v = c->m->v,
        .out = c->m->out,
    };
    set_strides(a->q_strides, HEADS_Q, LEN_Q, DIM);
    set_strides(a->k_strides, HEADS_KV, LEN_KV, DIM);
    set_strides(a->v_strides, HEADS_KV, LEN_KV, DIM_V);
    set_strides(a->out_strides, HEADS_Q, LEN_Q, DIM_V);
    set_strides(a->mask_strides, HEADS_Q, LEN_Q, LEN_KV);
    set_strides(a->bias_strides, HEADS_Q, LEN_Q, LEN_KV);
    set_strides(a->weights_strides, HEADS_Q, LEN_Q, LEN_KV);
    a->lse_strides[2] = 1;
    a->lse_strides[1] = LEN_Q;
    a->lse_strides[0] = HEADS_Q * LEN_Q;
    c->desc_pointer = &c->desc.now;
    c->args_pointer = &c->args.now;
    c->executor =
        (fovea_executor){.struct_size = sizeof(fovea_executor), .parallel_for = run_on_this_thread, .concurrency = 1};
    c->allocator =
        (fovea_allocator){.struct_size = sizeof(fovea_allocator), .allocate = no_memory, .release = never_released};
}

static void dispose(call *c) {
    free(c->m);
    free(c->workspace);
}

/* ---- What is changed. d, a and m are the descriptor, the arguments and the memory. ---- */

#define CHANGE(name, ...)                       \
    static void name(call *c) {                 \
        fovea_attention_desc *d = &c->desc.now; \
        fovea_attention_args *a = &c->args.now; \
        memory *m = c->m;                       \
        (void)d;                                \
        (void)a;                                \
        (void)m;                                \
        __VA_ARGS__;                            \
    }

CHANGE(nothing, (void)c)

/* Options with their pointers, as legal calls have them. */
CHANGE(with_mask, d->inputs |= FOVEA_INPUT_MASK; a->mask = m->mask)
CHANGE(with_bias, d->inputs |= FOVEA_INPUT_BIAS; a->bias = m->bias)
CHANGE(with_lengths, d->inputs |= FOVEA_INPUT_KEY_LENGTHS; a->key_lengths = m->numbers)
CHANGE(with_first_keys, d->inputs |= FOVEA_INPUT_FIRST_KEYS; a->first_keys = m->numbers)
CHANGE(with_offsets, d->diagonal = FOVEA_DIAGONAL_OFFSETS; a->query_offsets = m->numbers)
CHANGE(with_lse, d->outputs |= FOVEA_OUTPUT_LSE; a->lse = m->lse)
CHANGE(with_weights, d->weights = FOVEA_WEIGHTS_PROBABILITIES; a->weights = m->weights)
CHANGE(with_everything, with_mask(c); with_bias(c); with_lengths(c); with_first_keys(c); with_offsets(c); with_lse(c);
       with_weights(c))

/* Descriptor. */
CHANGE(desc_null, c->desc_pointer = NULL)
CHANGE(desc_small, d->struct_size = sizeof *d - 1)
CHANGE(desc_zero, d->struct_size = 0)
CHANGE(desc_huge, d->struct_size = SIZE_MAX)
CHANGE(desc_tail, d->struct_size = sizeof *d + TAIL; c->desc.later[TAIL - 1] = 1)
CHANGE(desc_zero_tail, d->struct_size = sizeof *d + TAIL)
CHANGE(batch_negative, d->batch = -1)
CHANGE(heads_q_negative, d->heads_q = -4)
CHANGE(heads_kv_negative, d->heads_kv = -2)
CHANGE(len_q_negative, d->len_q = -1)
CHANGE(len_kv_negative, d->len_kv = INT64_MIN)
CHANGE(head_dim_zero, d->head_dim = 0)
CHANGE(head_dim_v_zero, d->head_dim_v = 0)
CHANGE(page_size_negative, d->page_size = -1)
CHANGE(page_size_given, d->page_size = 16)
CHANGE(page_size_missing, d->form_kv = FOVEA_FORM_PAGED)
CHANGE(page_size_odd, d->form_kv = FOVEA_FORM_PAGED; d->page_size = 2)
CHANGE(threads_negative, d->threads = -1)
CHANGE(heads_7_over_2, d->heads_q = 7)
CHANGE(heads_kv_zero, d->heads_kv = 0)
CHANGE(q_bytes_overflow, d->batch = INT64_C(1) << 40; d->len_q = INT64_C(1) << 40)
CHANGE(kv_bytes_overflow, d->len_kv = INT64_MAX)
CHANGE(empty_bytes_overflow, d->batch = 0; d->len_kv = INT64_MAX)
CHANGE(v_bytes_overflow, d->head_dim_v = INT64_MAX / 2; d->len_q = 1)
CHANGE(mask_bytes_overflow, with_mask(c); d->len_q = INT64_C(1) << 32; d->len_kv = INT64_C(1) << 32)
CHANGE(weights_bytes_overflow, with_weights(c); d->len_q = INT64_C(1) << 32; d->len_kv = INT64_C(1) << 32)
CHANGE(type_q_unknown, d->type_q = (fovea_type)4)
CHANGE(type_kv_unknown, d->type_kv = (fovea_type)-1)
CHANGE(type_out_unknown, d->type_out = (fovea_type)77)
CHANGE(type_bias_unknown, d->type_bias = (fovea_type)4)
CHANGE(type_index_unknown, d->type_index = (fovea_index_type)2)
CHANGE(diagonal_unknown, d->diagonal = (fovea_diagonal)3)
CHANGE(form_q_unknown, d->form_q = (fovea_form)3)
CHANGE(form_kv_unknown, d->form_kv = (fovea_form)-1)
CHANGE(weights_unknown, d->weights = (fovea_weights)6)
CHANGE(exp_unknown, d->exp = (fovea_exp)3)
CHANGE(arithmetic_unknown, d->arithmetic = (fovea_arithmetic)2)
CHANGE(isa_cap_unknown, d->isa_cap = (fovea_isa)6)
CHANGE(inputs_unknown, d->inputs = 1u << 6)
CHANGE(outputs_unknown, d->outputs = 1u << 31)
CHANGE(q_int8, d->type_q = FOVEA_INT8)
CHANGE(bias_int8, d->type_bias = FOVEA_INT8)
CHANGE(out_f16, d->type_out = FOVEA_F16)
CHANGE(out_int8, d->type_out = FOVEA_INT8)
CHANGE(q_f16_kv_bf16, d->type_q = FOVEA_F16; d->type_kv = FOVEA_BF16)
CHANGE(q_f16_out_bf16, d->type_q = FOVEA_F16; d->type_out = FOVEA_BF16)
CHANGE(kv_bf16_bias_f16, with_bias(c); d->type_kv = FOVEA_BF16; d->type_bias = FOVEA_F16)
CHANGE(scale_nan, d->has_scale = 1; d->scale = NAN)
CHANGE(scale_infinite, d->has_scale = 1; d->scale = -INFINITY)
CHANGE(scale_unused, d->scale = NAN)
CHANGE(scale_negative, d->has_scale = 1; d->scale = -2)
CHANGE(softcap_negative, d->softcap = -1)
CHANGE(softcap_nan, d->softcap = NAN)
CHANGE(softcap_infinite, d->softcap = INFINITY)
CHANGE(window_left_negative, d->has_window_left = 1; d->window_left = -1)
CHANGE(window_right_negative, d->has_window_right = 1; d->window_right = -1)
CHANGE(windows_unused, d->window_left = -1; d->window_right = INT64_MIN)
CHANGE(windows_largest, d->has_window_left = 1; d->window_left = INT64_MAX; d->has_window_right = 1;
       d->window_right = INT64_MAX)
CHANGE(form_q_paged, d->form_q = FOVEA_FORM_PAGED)
CHANGE(allocator_small, d->allocator = &c->allocator; c->allocator.struct_size--)
CHANGE(allocator_no_allocate, d->allocator = &c->allocator; c->allocator.allocate = NULL)
CHANGE(allocator_no_release, d->allocator = &c->allocator; c->allocator.release = NULL)

/* Types; memory is read as what they say. */
CHANGE(all_f16, d->type_q = FOVEA_F16; d->type_kv = FOVEA_F16; d->type_out = FOVEA_F16)
CHANGE(q_bf16, d->type_q = FOVEA_BF16)
CHANGE(bias_f16, with_bias(c); d->type_bias = FOVEA_F16)
CHANGE(bias_type_unused, d->type_bias = FOVEA_F16)
CHANGE(kv_int8_without_scales, d->type_kv = FOVEA_INT8)
CHANGE(kv_int8, d->type_kv = FOVEA_INT8; a->k_scales = m->bias; a->v_scales = m->bias)
CHANGE(v_scales_null, kv_int8(c); a->v_scales = NULL)
CHANGE(k_scales_misaligned, kv_int8(c); a->k_scales = (const float *)(const void *)((const char *)m->bias + 1))
CHANGE(q_f16_misaligned, all_f16(c); a->q = (const char *)m->q + 1)
CHANGE(v_scales_in_out, kv_int8(c); a->v_scales = m->out)

/* Packed forms. All tokens of the dense tensors' first entry: the first sequence has all but the last of them. */
CHANGE(q_packed, d->form_q = FOVEA_FORM_PACKED; a->cu_seqlens_q = m->numbers; m->numbers[1] = LEN_Q - 1;
       m->numbers[2] = LEN_Q)
CHANGE(kv_packed, d->form_kv = FOVEA_FORM_PACKED; a->cu_seqlens_kv = m->numbers; m->numbers[1] = LEN_KV - 1;
       m->numbers[2] = LEN_KV)
CHANGE(both_packed, q_packed(c); d->form_kv = FOVEA_FORM_PACKED; a->cu_seqlens_kv = m->numbers)
CHANGE(q_packed_wide, q_packed(c); d->type_index = FOVEA_INDEX_INT64; a->cu_seqlens_q = m->wide_numbers;
       m->wide_numbers[2] = 1)
CHANGE(packed_all_empty, q_packed(c); m->numbers[1] = m->numbers[2] = 0)
CHANGE(packed_first_strides_unused, both_packed(c); a->q_strides[0] = 0; a->k_strides[0] = INT64_MAX;
       a->out_strides[0] = 0)
CHANGE(q_packed_without_offsets, d->form_q = FOVEA_FORM_PACKED)
CHANGE(kv_packed_without_offsets, d->form_kv = FOVEA_FORM_PACKED)
CHANGE(offsets_q_negative, q_packed(c); m->numbers[0] = -1)
CHANGE(offsets_q_unsorted, q_packed(c); m->numbers[1] = 2; m->numbers[2] = 1)
CHANGE(offsets_q_large, q_packed(c); m->numbers[2] = LEN_Q + 1)
CHANGE(offsets_q_large_for_this_call, q_packed(c); a->len_q = LEN_Q - 1)
CHANGE(offsets_kv_negative, kv_packed(c); m->numbers[0] = -3)
CHANGE(offsets_kv_unsorted, kv_packed(c); m->numbers[2] = LEN_KV - 2)
CHANGE(offsets_kv_large, kv_packed(c); m->numbers[2] = LEN_KV + 1)
CHANGE(offsets_in_out, q_packed(c); a->cu_seqlens_q = m->out)
CHANGE(length_large_for_its_sequence, kv_packed(c); with_lengths(c); a->key_lengths = m->numbers + 1;
       m->numbers[2] = LEN_KV)
CHANGE(first_key_large_for_its_sequence, kv_packed(c); with_first_keys(c); a->first_keys = m->numbers + 1;
       m->numbers[2] = LEN_KV)

/* Paged form: the keys of the dense tensors as pages of one token, two of them in use. */
CHANGE(kv_paged, d->form_kv = FOVEA_FORM_PAGED; d->page_size = 1; a->pages = 8; a->k_strides[0] = DIM;
       a->v_strides[0] = DIM_V; a->block_table = m->numbers; a->block_table_strides[0] = LEN_KV;
       a->block_table_strides[1] = 1; a->key_lengths = m->numbers + 20; m->numbers[20] = 2; m->numbers[21] = 1;
       m->numbers[0] = 7; m->numbers[1] = 3; m->numbers[LEN_KV] = 3)
CHANGE(paged_wide, kv_paged(c); d->type_index = FOVEA_INDEX_INT64; a->block_table = m->wide_numbers;
       a->key_lengths = m->wide_numbers)
CHANGE(paged_unused_entries, kv_paged(c); m->numbers[2] = -1; m->numbers[LEN_KV + 1] = INT32_MAX)
CHANGE(paged_without_keys, kv_paged(c); m->numbers[20] = m->numbers[21] = 0; a->pages = 0; a->k = a->v = NULL;
       m->numbers[0] = -1)
CHANGE(paged_announced_lengths, kv_paged(c); d->inputs = FOVEA_INPUT_KEY_LENGTHS)
CHANGE(paged_without_table, kv_paged(c); a->block_table = NULL)
CHANGE(paged_without_lengths, kv_paged(c); a->key_lengths = NULL)
CHANGE(paged_without_pages, kv_paged(c); a->pages = 0)
CHANGE(pages_negative, kv_paged(c); a->pages = -1)
CHANGE(page_negative, kv_paged(c); m->numbers[1] = -1)
CHANGE(page_large, kv_paged(c); m->numbers[LEN_KV] = 8)
CHANGE(paged_length_large, kv_paged(c); m->numbers[21] = LEN_KV + 1)
CHANGE(paged_part_of_a_page, kv_paged(c); d->page_size = 2; d->len_kv = 6; a->len_kv = 5)
CHANGE(table_in_out, kv_paged(c); a->block_table = m->out)
CHANGE(table_stride_overflow, kv_paged(c); a->block_table_strides[0] = INT64_MAX)

/* Legal, but not computed. */
CHANGE(mask_packed, with_mask(c); d->form_q = FOVEA_FORM_PACKED)
CHANGE(bias_packed, with_bias(c); d->form_kv = FOVEA_FORM_PACKED)
CHANGE(weights_packed, with_weights(c); d->form_q = FOVEA_FORM_PACKED)
CHANGE(arithmetic_bf16, d->arithmetic = FOVEA_ARITHMETIC_BF16; d->isa_cap = FOVEA_ISA_GENERIC)
CHANGE(invalid_and_unsupported, d->arithmetic = FOVEA_ARITHMETIC_BF16; d->threads = -1)
#ifdef __aarch64__
CHANGE(other_architecture, d->isa_cap = FOVEA_ISA_AVX2)
#else
CHANGE(other_architecture, d->isa_cap = FOVEA_ISA_NEON)
#endif

/* Arguments: lengths and pointers. */
CHANGE(args_null, c->args_pointer = NULL)
CHANGE(args_small, a->struct_size = sizeof *a - 8)
CHANGE(args_tail, a->struct_size = sizeof *a + TAIL; c->args.later[0] = 255)
CHANGE(args_zero_tail, a->struct_size = sizeof *a + TAIL)
CHANGE(actual_len_q_negative, a->len_q = -1)
CHANGE(actual_len_q_large, a->len_q = LEN_Q + 1)
CHANGE(actual_len_kv_negative, a->len_kv = INT64_MIN)
CHANGE(actual_len_kv_large, a->len_kv = LEN_KV + 1)
CHANGE(q_null, a->q = NULL)
CHANGE(k_null, a->k = NULL)
CHANGE(v_null, a->v = NULL)
CHANGE(out_null, a->out = NULL)
CHANGE(mask_null, with_mask(c); a->mask = NULL)
CHANGE(bias_null, with_bias(c); a->bias = NULL)
CHANGE(key_lengths_null, with_lengths(c); a->key_lengths = NULL)
CHANGE(first_keys_null, with_first_keys(c); a->first_keys = NULL)
CHANGE(query_offsets_null, with_offsets(c); a->query_offsets = NULL)
CHANGE(lse_null, with_lse(c); a->lse = NULL)
CHANGE(weights_null, with_weights(c); a->weights = NULL)
CHANGE(mask_unannounced, a->mask = m->mask)
CHANGE(bias_unannounced, a->bias = m->bias)
CHANGE(key_lengths_unannounced, a->key_lengths = m->numbers)
CHANGE(first_keys_unannounced, a->first_keys = m->numbers)
CHANGE(query_offsets_unannounced, a->query_offsets = m->numbers; d->causal = 1)
CHANGE(alibi_unannounced, a->alibi_slopes = m->bias)
CHANGE(sinks_unannounced, a->sinks = m->bias)
CHANGE(cu_seqlens_q_unannounced, a->cu_seqlens_q = m->numbers)
CHANGE(cu_seqlens_kv_unannounced, a->cu_seqlens_kv = m->numbers)
CHANGE(block_table_unannounced, a->block_table = m->numbers)
CHANGE(pages_unannounced, a->pages = 3)
CHANGE(k_scales_unannounced, a->k_scales = m->bias)
CHANGE(v_scales_unannounced, a->v_scales = m->bias)
CHANGE(lse_unannounced, a->lse = m->lse)
CHANGE(weights_unannounced, a->weights = m->weights)
CHANGE(unannounced_though_empty, d->batch = 0; a->sinks = m->bias)
CHANGE(q_misaligned, a->q = (const char *)m->q + 1)
CHANGE(out_misaligned, a->out = (char *)m->out + 2)
CHANGE(bias_misaligned, with_bias(c); a->bias = (const char *)m->bias + 3)
CHANGE(lengths_misaligned, with_lengths(c); d->type_index = FOVEA_INDEX_INT64;
       a->key_lengths = (const char *)m->wide_numbers + 4)
CHANGE(workspace_null, a->workspace_size = 64)
CHANGE(workspace_tiny, a->workspace = c->workspace; a->workspace_size = 1)
CHANGE(workspace_given, a->workspace = (char *)c->workspace + 1; a->workspace_size = WORKSPACE_SIZE - 1)
CHANGE(workspace_endless, a->workspace = c->workspace; a->workspace_size = SIZE_MAX)

/* Arguments: values. */
CHANGE(length_negative, with_lengths(c); m->numbers[1] = -1)
CHANGE(length_large, with_lengths(c); m->numbers[1] = LEN_KV + 1)
CHANGE(length_large_for_this_call, with_lengths(c); m->numbers[0] = LEN_KV; a->len_kv = LEN_KV - 1)
CHANGE(length_wide, with_lengths(c); d->type_index = FOVEA_INDEX_INT64; a->key_lengths = m->wide_numbers;
       m->wide_numbers[0] = INT64_C(1) << 32)
CHANGE(first_key_negative, with_first_keys(c); m->numbers[0] = -7)
CHANGE(first_key_large, with_first_keys(c); m->numbers[1] = LEN_KV + 1)
CHANGE(lengths_at_the_ends, with_lengths(c); with_first_keys(c); m->numbers[0] = LEN_KV)
CHANGE(lengths_wide, with_lengths(c); d->type_index = FOVEA_INDEX_INT64; a->key_lengths = m->wide_numbers;
       m->wide_numbers[1] = LEN_KV)
CHANGE(offsets_extreme, with_offsets(c); d->type_index = FOVEA_INDEX_INT64; d->causal = 1;
       a->query_offsets = m->wide_numbers; m->wide_numbers[0] = INT64_MIN; m->wide_numbers[1] = INT64_MAX)

/* Arguments: strides. */
CHANGE(q_gapped, a->q_strides[3] = 2)
CHANGE(k_reversed_rows, a->k_strides[3] = -1)
CHANGE(v_last_zero, a->v_strides[3] = 0)
CHANGE(out_gapped, a->out_strides[3] = 2)
CHANGE(weights_gapped, with_weights(c); a->weights_strides[3] = 2)
CHANGE(q_stride_overflow, a->q_strides[0] = INT64_MAX)
CHANGE(k_stride_overflow, a->k_strides[2] = INT64_MIN)
CHANGE(v_stride_endless, a->v_strides[1] = INT64_MAX / 16)
CHANGE(mask_stride_overflow, with_mask(c); a->mask_strides[1] = INT64_MAX / 2)
CHANGE(out_heads_zero, a->out_strides[1] = 0)
CHANGE(lse_rows_zero, with_lse(c); a->lse_strides[2] = 0)
CHANGE(weights_batch_zero, with_weights(c); a->weights_strides[0] = 0)
CHANGE(out_rows_overlap, a->out_strides[2] = DIM_V - 1)
CHANGE(out_heads_overlap, a->out_strides[1] = 2 * DIM_V)
CHANGE(lse_overlaps_itself, with_lse(c); a->lse_strides[1] = 1; a->lse_strides[2] = 1)
CHANGE(broadcast_inputs, with_mask(c); with_bias(c); memset(a->mask_strides, 0, sizeof a->mask_strides);
       memset(a->bias_strides, 0, sizeof a->bias_strides); a->k_strides[0] = 0; a->v_strides[1] = 0;
       a->q_strides[2] = 0)
CHANGE(unused_strides, d->batch = 1; a->len_q = 1; a->q_strides[0] = INT64_MAX; a->q_strides[2] = INT64_MIN;
       a->k_strides[0] = INT64_MIN; a->out_strides[0] = 0; a->out_strides[2] = 0)
CHANGE(rows_backwards, a->out = m->out + (LEN_Q - 1) * DIM_V; a->out_strides[2] = -DIM_V;
       a->q = m->q + (LEN_Q - 1) * DIM; a->q_strides[2] = -DIM)

/* Arguments: overlap. */
CHANGE(out_is_q, a->out = m->q)
CHANGE(out_in_k, a->out = m->k + BATCH * HEADS_KV * LEN_KV * DIM - 1)
CHANGE(out_in_v, a->out = m->v + 3)
CHANGE(out_in_mask, with_mask(c); a->out = m->mask)
CHANGE(out_in_bias, with_bias(c); a->out = m->bias)
CHANGE(out_in_lengths, with_lengths(c); a->out = m->numbers)
CHANGE(out_in_first_keys, with_first_keys(c); a->out = m->numbers)
CHANGE(out_in_offsets, with_offsets(c); a->out = m->numbers)
CHANGE(lse_in_out, with_lse(c); a->lse = m->out + 1)
CHANGE(lse_in_q, with_lse(c); a->lse = m->q)
CHANGE(weights_in_lse, with_lse(c); with_weights(c); a->weights = m->lse)
CHANGE(weights_in_v, with_weights(c); a->weights = m->v)
CHANGE(workspace_in_out, a->workspace = m->out; a->workspace_size = 64)
CHANGE(workspace_in_q, a->workspace = m->q; a->workspace_size = 64)
/* Rows of q with gaps that the rows of out fill: legal, until one of them is a float too long. */
CHANGE(out_between_rows_of_q, set_strides(a->q_strides, HEADS_Q, LEN_Q, DIM + DIM_V);
       set_strides(a->out_strides, HEADS_Q, LEN_Q, DIM + DIM_V); a->out = m->q + DIM)
CHANGE(out_touches_rows_of_q, out_between_rows_of_q(c); a->out = m->q + DIM - 1)

/* Everything that may be as large as it gets, at once. */
CHANGE(positions_extreme, offsets_extreme(c); windows_largest(c); with_everything(c);
       a->query_offsets = m->wide_numbers; a->key_lengths = m->wide_numbers + 8; a->first_keys = m->wide_numbers + 8;
       m->wide_numbers[8] = LEN_KV)

/* The host. */
CHANGE(executor_given, c->executor_pointer = &c->executor)
CHANGE(executor_small, executor_given(c); c->executor.struct_size = 8)
CHANGE(executor_no_loop, executor_given(c); c->executor.parallel_for = NULL)
CHANGE(executor_no_workers, executor_given(c); c->executor.concurrency = 0)
CHANGE(memory_refused, d->allocator = &c->allocator)

/* Nothing to compute. */
CHANGE(no_pointers, a->q = NULL; a->k = NULL; a->v = NULL; a->out = NULL)
CHANGE(empty_batch, with_everything(c); no_pointers(c); d->batch = 0)
CHANGE(empty_heads, no_pointers(c); d->heads_q = 0)
CHANGE(empty_heads_both, no_pointers(c); d->heads_q = 0; d->heads_kv = 0)
CHANGE(empty_queries, no_pointers(c); a->len_q = 0)
CHANGE(empty_ignores_values, with_lengths(c); m->numbers[0] = -1; a->len_q = 0)
CHANGE(empty_announced, with_everything(c); no_pointers(c); a->len_q = 0; a->mask = NULL; a->lse = NULL)
CHANGE(empty_keys, a->len_kv = 0; a->k = NULL; a->v = NULL)
CHANGE(empty_keys_with_options, with_mask(c); with_weights(c); a->mask = NULL; a->weights = NULL; a->len_kv = 0;
       a->k = NULL; a->v = NULL)
/* One query row takes another way through the library; strides that address nothing may be anything. */
CHANGE(empty_keys_of_one_row, empty_keys_with_options(c); a->len_q = 1;
       for (int i = 0; i < 4; i++)
           a->k_strides[i] = a->v_strides[i] = a->mask_strides[i] = a->weights_strides[i] = INT64_MAX)

#undef CHANGE

typedef struct error_case {
    const char *name;
    void (*change)(call *);
    fovea_status status;
    /* A part of the reason. */
    const char *reason;
} error_case;

#define INVALID(change, reason) \
    { #change, change, FOVEA_INVALID, reason }
#define UNSUPPORTED(change, reason) \
    { #change, change, FOVEA_UNSUPPORTED, reason }
#define LEGAL(change) \
    { #change, change, FOVEA_OK, "" }

/* What a descriptor is refused for: fovea_plan_create answers, and fovea_attention does. */
static const error_case desc_cases[] = {
    INVALID(desc_null, "desc is NULL"),
    INVALID(desc_small, "desc.struct_size"),
    INVALID(desc_zero, "desc.struct_size"),
    INVALID(desc_huge, "desc.struct_size"),
    INVALID(desc_tail, "desc.struct_size"),
    INVALID(batch_negative, "batch (-1)"),
    INVALID(heads_q_negative, "heads_q (-4)"),
    INVALID(heads_kv_negative, "heads_kv (-2)"),
    INVALID(len_q_negative, "len_q (-1)"),
    INVALID(len_kv_negative, "len_kv (-9223372036854775808)"),
    INVALID(head_dim_zero, "head_dim (0)"),
    INVALID(head_dim_v_zero, "head_dim_v (0)"),
    INVALID(page_size_negative, "page_size (-1)"),
    INVALID(page_size_given, "page_size (16)"),
    INVALID(page_size_missing, "page_size (0)"),
    INVALID(page_size_odd, "page_size (2)"),
    INVALID(threads_negative, "threads (-1)"),
    INVALID(heads_7_over_2, "heads_q (7) is not a multiple of heads_kv (2)"),
    INVALID(heads_kv_zero, "heads_kv (0)"),
    INVALID(q_bytes_overflow, "q: batch * heads_q * len_q * head_dim overflows"),
    INVALID(kv_bytes_overflow, "k: batch * heads_kv * len_kv * head_dim overflows"),
    INVALID(empty_bytes_overflow, "overflows"),
    INVALID(v_bytes_overflow, "head_dim_v overflows"),
    INVALID(mask_bytes_overflow, "mask: "),
    INVALID(weights_bytes_overflow, "weights: "),
    INVALID(type_q_unknown, "type_q (4)"),
    INVALID(type_kv_unknown, "type_kv (-1)"),
    INVALID(type_out_unknown, "type_out (77)"),
    INVALID(type_bias_unknown, "type_bias (4)"),
    INVALID(type_index_unknown, "type_index (2)"),
    INVALID(diagonal_unknown, "diagonal (3)"),
    INVALID(form_q_unknown, "form_q (3)"),
    INVALID(form_kv_unknown, "form_kv (-1)"),
    INVALID(weights_unknown, "weights (6)"),
    INVALID(exp_unknown, "exp (3)"),
    INVALID(arithmetic_unknown, "arithmetic (2)"),
    INVALID(isa_cap_unknown, "isa_cap (6)"),
    INVALID(inputs_unknown, "inputs (0x40)"),
    INVALID(outputs_unknown, "outputs (0x80000000)"),
    INVALID(q_int8, "type_q"),
    INVALID(bias_int8, "type_bias"),
    INVALID(out_f16, "type_out"),
    INVALID(out_int8, "type_out"),
    INVALID(q_f16_kv_bf16, "type_kv and type_q"),
    INVALID(q_f16_out_bf16, "type_out"),
    INVALID(kv_bf16_bias_f16, "type_bias"),
    INVALID(scale_nan, "scale"),
    INVALID(scale_infinite, "scale"),
    INVALID(softcap_negative, "softcap"),
    INVALID(softcap_nan, "softcap"),
    INVALID(softcap_infinite, "softcap"),
    INVALID(window_left_negative, "window_left (-1)"),
    INVALID(window_right_negative, "window_right (-1)"),
    INVALID(form_q_paged, "form_q"),
    INVALID(allocator_small, "allocator.struct_size"),
    INVALID(allocator_no_allocate, "allocator.allocate"),
    INVALID(allocator_no_release, "allocator.release"),
    INVALID(invalid_and_unsupported, "threads"),
    UNSUPPORTED(mask_packed, "mask"),
    UNSUPPORTED(bias_packed, "bias"),
    UNSUPPORTED(weights_packed, "weights have no packed form"),
    UNSUPPORTED(arithmetic_bf16, "arithmetic: the backend generic has no bf16 arithmetic"),
    UNSUPPORTED(other_architecture, "isa_cap"),
};

/* What the arguments are refused for: the plan is made, and fovea_execute answers. */
static const error_case args_cases[] = {
    INVALID(args_null, "args is NULL"),
    INVALID(args_small, "args.struct_size"),
    INVALID(args_tail, "args.struct_size"),
    INVALID(actual_len_q_negative, "len_q (-1)"),
    INVALID(actual_len_q_large, "len_q (4)"),
    INVALID(actual_len_kv_negative, "len_kv (-"),
    INVALID(actual_len_kv_large, "len_kv (6)"),
    INVALID(q_null, "q is NULL"),
    INVALID(k_null, "k is NULL"),
    INVALID(v_null, "v is NULL"),
    INVALID(out_null, "out is NULL"),
    INVALID(mask_null, "mask is NULL"),
    INVALID(bias_null, "bias is NULL"),
    INVALID(key_lengths_null, "key_lengths is NULL"),
    INVALID(first_keys_null, "first_keys is NULL"),
    INVALID(query_offsets_null, "query_offsets is NULL"),
    INVALID(kv_int8_without_scales, "k_scales is NULL"),
    INVALID(v_scales_null, "v_scales is NULL"),
    INVALID(k_scales_misaligned, "k_scales is not aligned"),
    INVALID(q_f16_misaligned, "q is not aligned"),
    INVALID(v_scales_in_out, "out overlaps v_scales"),
    INVALID(lse_null, "lse is NULL"),
    INVALID(weights_null, "weights is NULL"),
    INVALID(mask_unannounced, "mask is given, but desc.inputs"),
    INVALID(bias_unannounced, "bias is given, but desc.inputs"),
    INVALID(key_lengths_unannounced, "key_lengths is given, but desc.inputs"),
    INVALID(first_keys_unannounced, "first_keys is given, but desc.inputs"),
    INVALID(query_offsets_unannounced, "query_offsets is given, but desc.diagonal"),
    INVALID(alibi_unannounced, "alibi_slopes is given, but desc.inputs"),
    INVALID(sinks_unannounced, "sinks is given, but desc.inputs"),
    INVALID(cu_seqlens_q_unannounced, "cu_seqlens_q is given, but desc.form_q"),
    INVALID(cu_seqlens_kv_unannounced, "cu_seqlens_kv is given, but desc.form_kv"),
    INVALID(block_table_unannounced, "block_table is given, but desc.form_kv"),
    INVALID(pages_unannounced, "pages is given, but desc.form_kv"),
    INVALID(k_scales_unannounced, "k_scales is given, but desc.type_kv"),
    INVALID(v_scales_unannounced, "v_scales is given, but desc.type_kv"),
    INVALID(lse_unannounced, "lse is given, but desc.outputs"),
    INVALID(weights_unannounced, "weights is given, but desc.weights"),
    INVALID(unannounced_though_empty, "sinks is given"),
    INVALID(q_misaligned, "q is not aligned"),
    INVALID(out_misaligned, "out is not aligned"),
    INVALID(bias_misaligned, "bias is not aligned"),
    INVALID(lengths_misaligned, "key_lengths is not aligned"),
    INVALID(workspace_null, "workspace is NULL"),
    INVALID(workspace_endless, "workspace_size"),
    INVALID(length_negative, "key_lengths[1] (-1)"),
    INVALID(length_large, "key_lengths[1] (6)"),
    INVALID(length_large_for_this_call, "key_lengths[0] (5)"),
    INVALID(length_wide, "key_lengths[0] (4294967296)"),
    INVALID(first_key_negative, "first_keys[0] (-7)"),
    INVALID(first_key_large, "first_keys[1] (6)"),
    INVALID(paged_without_table, "block_table is NULL"),
    INVALID(paged_without_lengths, "key_lengths is NULL"),
    INVALID(paged_without_pages, "block_table[0, 0] (7) is not in 0 ... pages (0) - 1"),
    INVALID(pages_negative, "pages (-1)"),
    INVALID(page_negative, "block_table[0, 1] (-1)"),
    INVALID(page_large, "block_table[1, 0] (8)"),
    INVALID(paged_length_large, "key_lengths[1] (6)"),
    INVALID(paged_part_of_a_page, "len_kv (5) is no multiple of page_size (2)"),
    INVALID(table_in_out, "out overlaps block_table"),
    INVALID(table_stride_overflow, "block_table"),
    INVALID(q_packed_without_offsets, "cu_seqlens_q is NULL"),
    INVALID(kv_packed_without_offsets, "cu_seqlens_kv is NULL"),
    INVALID(offsets_q_negative, "cu_seqlens_q[0] (-1)"),
    INVALID(offsets_q_unsorted, "cu_seqlens_q[2] (1) is less than 2"),
    INVALID(offsets_q_large, "cu_seqlens_q[2] (4) is more than the 3"),
    INVALID(offsets_q_large_for_this_call, "cu_seqlens_q[2] (3) is more than the 2"),
    INVALID(offsets_kv_negative, "cu_seqlens_kv[0] (-3)"),
    INVALID(offsets_kv_unsorted, "cu_seqlens_kv[2] (3) is less than 4"),
    INVALID(offsets_kv_large, "cu_seqlens_kv[2] (6) is more than the 5"),
    INVALID(offsets_in_out, "out overlaps cu_seqlens_q"),
    INVALID(length_large_for_its_sequence, "key_lengths[1] (5) is not in 0 ... the packed length (1)"),
    INVALID(first_key_large_for_its_sequence, "first_keys[1] (5) is not in 0 ... the packed length (1)"),
    INVALID(q_gapped, "q_strides[3] (2)"),
    INVALID(k_reversed_rows, "k_strides[3] (-1)"),
    INVALID(v_last_zero, "v_strides[3] (0)"),
    INVALID(out_gapped, "out_strides[3] (2)"),
    INVALID(weights_gapped, "weights_strides[3] (2)"),
    INVALID(q_stride_overflow, "q: its strides"),
    INVALID(k_stride_overflow, "k: its strides"),
    INVALID(v_stride_endless, "v: its strides"),
    INVALID(mask_stride_overflow, "mask: its strides"),
    INVALID(out_heads_zero, "out_strides[1] is 0"),
    INVALID(lse_rows_zero, "lse_strides[2] is 0"),
    INVALID(weights_batch_zero, "weights_strides[0] is 0"),
    INVALID(out_rows_overlap, "out overlaps itself"),
    INVALID(out_heads_overlap, "out overlaps itself"),
    INVALID(lse_overlaps_itself, "lse overlaps itself"),
    INVALID(out_is_q, "out overlaps q"),
    INVALID(out_in_k, "out overlaps k"),
    INVALID(out_in_v, "out overlaps v"),
    INVALID(out_in_mask, "out overlaps mask"),
    INVALID(out_in_bias, "out overlaps bias"),
    INVALID(out_in_lengths, "out overlaps key_lengths"),
    INVALID(out_in_first_keys, "out overlaps first_keys"),
    INVALID(out_in_offsets, "out overlaps query_offsets"),
    INVALID(lse_in_out, "lse overlaps out"),
    INVALID(lse_in_q, "lse overlaps q"),
    INVALID(weights_in_lse, "weights overlaps lse"),
    INVALID(weights_in_v, "weights overlaps v"),
    INVALID(workspace_in_out, "workspace overlaps out"),
    INVALID(workspace_in_q, "workspace overlaps q"),
    INVALID(out_touches_rows_of_q, "out overlaps q"),
    INVALID(executor_small, "executor.struct_size"),
    INVALID(executor_no_loop, "executor.parallel_for"),
    INVALID(executor_no_workers, "executor.concurrency (0)"),
    {"workspace_tiny", workspace_tiny, FOVEA_WORKSPACE_TOO_SMALL, "workspace"},
};

/* Neighbours of the above that must work. */
static const error_case legal_cases[] = {
    LEGAL(nothing),
    LEGAL(with_everything),
    LEGAL(desc_zero_tail),
    LEGAL(args_zero_tail),
    LEGAL(scale_unused),
    LEGAL(scale_negative),
    LEGAL(windows_unused),
    LEGAL(windows_largest),
    LEGAL(all_f16),
    LEGAL(q_bf16),
    LEGAL(bias_f16),
    LEGAL(bias_type_unused),
    LEGAL(kv_int8),
    LEGAL(kv_paged),
    LEGAL(paged_wide),
    LEGAL(paged_unused_entries),
    LEGAL(paged_without_keys),
    LEGAL(paged_announced_lengths),
    LEGAL(q_packed),
    LEGAL(kv_packed),
    LEGAL(both_packed),
    LEGAL(q_packed_wide),
    LEGAL(packed_all_empty),
    LEGAL(packed_first_strides_unused),
    LEGAL(workspace_given),
    LEGAL(lengths_at_the_ends),
    LEGAL(lengths_wide),
    LEGAL(offsets_extreme),
    LEGAL(positions_extreme),
    LEGAL(broadcast_inputs),
    LEGAL(unused_strides),
    LEGAL(rows_backwards),
    LEGAL(out_between_rows_of_q),
    LEGAL(executor_given),
    LEGAL(empty_batch),
    LEGAL(empty_heads),
    LEGAL(empty_heads_both),
    LEGAL(empty_queries),
    LEGAL(empty_ignores_values),
    LEGAL(empty_announced),
    LEGAL(empty_keys),
    LEGAL(empty_keys_with_options),
    LEGAL(empty_keys_of_one_row),
};

/* ---- Standard output and error are caught while the library runs. ---- */

typedef struct silence {
    FILE *caught;
    int saved[2];
} silence;

static silence silence_begin(void) {
    silence s = {.caught = tmpfile()};
    ck_assert_ptr_nonnull(s.caught);
    fflush(stdout);
    fflush(stderr);
    for (int i = 0; i < 2; i++) {
        s.saved[i] = dup(STDOUT_FILENO + i);
        dup2(fileno(s.caught), STDOUT_FILENO + i);
    }
    return s;
}

/* Bytes that were printed. */
static long silence_end(silence *s) {
    fflush(stdout);
    fflush(stderr);
    const long printed = (long)lseek(fileno(s->caught), 0, SEEK_END);
    for (int i = 0; i < 2; i++) {
        dup2(s->saved[i], STDOUT_FILENO + i);
        close(s->saved[i]);
    }
    fclose(s->caught);
    return printed;
}

/* ---- Running a case ---- */

static void check_outcome(const error_case *test, const char *function, fovea_status status) {
    ck_assert_msg(status == test->status, "%s: %s answers \"%s\" (%s), not \"%s\"", test->name, function,
                  fovea_status_string(status), fovea_last_reason(), fovea_status_string(test->status));
    if (status == FOVEA_OK)
        return;
    const char *reason = fovea_last_reason();
    ck_assert_msg(strstr(reason, test->reason) != NULL, "%s: %s says \"%s\", without \"%s\"", test->name, function,
                  reason, test->reason);
    ck_assert_msg(strchr(reason, '\n') == NULL, "%s: %s says more than a line", test->name, function);
}

static fovea_status plan_and_execute(const call *c, fovea_status *planned) {
    fovea_plan *plan = (fovea_plan *)(uintptr_t)1;
    *planned = fovea_plan_create(c->desc_pointer, &plan);
    ck_assert_msg((*planned == FOVEA_OK) == (plan != NULL), "a failing fovea_plan_create leaves no plan");
    if (*planned != FOVEA_OK)
        return *planned;
    const fovea_status status = fovea_execute(plan, c->args_pointer, c->executor_pointer);
    fovea_plan_destroy(plan);
    return status;
}

/* Runs a case in one call and in two; `refused_by_plan`: the first of the two must be the one that fails. */
static void run_case(const error_case *test, bool refused_by_plan) {
    call c;
    prepare(&c);
    test->change(&c);
    static memory before;
    before = *c.m;

    silence s = silence_begin();
    const fovea_status at_once = fovea_attention(c.desc_pointer, c.args_pointer, c.executor_pointer);
    long printed = silence_end(&s);
    check_outcome(test, "fovea_attention", at_once);
    if (test->status != FOVEA_OK)
        ck_assert_msg(memcmp(&before, c.m, sizeof before) == 0, "%s: memory was written to", test->name);

    s = silence_begin();
    fovea_status planned;
    const fovea_status in_two = plan_and_execute(&c, &planned);
    printed += silence_end(&s);
    check_outcome(test, planned == FOVEA_OK ? "fovea_execute" : "fovea_plan_create", in_two);
    ck_assert_msg((planned != FOVEA_OK) == refused_by_plan, "%s: fovea_plan_create answers \"%s\"", test->name,
                  fovea_status_string(planned));
    if (test->status != FOVEA_OK)
        ck_assert_msg(memcmp(&before, c.m, sizeof before) == 0, "%s: memory was written to", test->name);
    ck_assert_msg(printed == 0, "%s: something was printed", test->name);
    dispose(&c);
}

START_TEST(descriptors_are_refused) {
    for (size_t i = 0; i < sizeof desc_cases / sizeof desc_cases[0]; i++)
        run_case(&desc_cases[i], true);
}
END_TEST

START_TEST(arguments_are_refused) {
    for (size_t i = 0; i < sizeof args_cases / sizeof args_cases[0]; i++)
        run_case(&args_cases[i], false);
}
END_TEST

START_TEST(legal_neighbours_work) {
    for (size_t i = 0; i < sizeof legal_cases / sizeof legal_cases[0]; i++)
        run_case(&legal_cases[i], false);
}
END_TEST

/* The plan itself needs memory; one call in one piece needs it for scratch alone. */
START_TEST(refused_memory_is_reported) {
    call c;
    prepare(&c);
    memory_refused(&c);
    static memory before;
    before = *c.m;
    const error_case out_of_memory = {"memory_refused", memory_refused, FOVEA_OUT_OF_MEMORY, "memory"};
    fovea_status planned;
    check_outcome(&out_of_memory, "fovea_attention",
                  fovea_attention(c.desc_pointer, c.args_pointer, c.executor_pointer));
    check_outcome(&out_of_memory, "fovea_plan_create", plan_and_execute(&c, &planned));
    ck_assert_msg(memcmp(&before, c.m, sizeof before) == 0, "memory was written to");
    /* A workspace makes it unnecessary. */
    workspace_given(&c);
    ck_assert_int_eq(fovea_attention(c.desc_pointer, c.args_pointer, c.executor_pointer), FOVEA_OK);
    dispose(&c);
}
END_TEST

START_TEST(missing_plans_are_refused) {
    call c;
    prepare(&c);
    ck_assert_int_eq(fovea_plan_create(c.desc_pointer, NULL), FOVEA_INVALID);
    ck_assert_ptr_nonnull(strstr(fovea_last_reason(), "plan"));
    ck_assert_int_eq(fovea_execute(NULL, c.args_pointer, NULL), FOVEA_INVALID);
    ck_assert_ptr_nonnull(strstr(fovea_last_reason(), "plan"));
    fovea_plan_destroy(NULL);
    ck_assert_uint_eq(fovea_plan_workspace_size(NULL, 1), 0);
    fovea_plan *plan;
    ck_assert_int_eq(fovea_plan_create(c.desc_pointer, &plan), FOVEA_OK);
    ck_assert_uint_eq(fovea_plan_workspace_size(plan, 0), 0);
    ck_assert_uint_eq(fovea_plan_workspace_size(plan, -1), 0);
    /* One byte less than a worker needs, wherever the workspace begins. */
    const size_t needed = fovea_plan_workspace_size(plan, 1);
    ck_assert_uint_le(needed, WORKSPACE_SIZE - 64);
    c.args.now.workspace = (char *)c.workspace + 1;
    c.args.now.workspace_size = needed;
    ck_assert_int_eq(fovea_execute(plan, c.args_pointer, NULL), FOVEA_OK);
    c.args.now.workspace_size = needed - 64;
    ck_assert_int_eq(fovea_execute(plan, c.args_pointer, NULL), FOVEA_WORKSPACE_TOO_SMALL);
    fovea_plan_destroy(plan);
    dispose(&c);
}
END_TEST

/* ---- Merging ---- */

typedef struct merge_call {
    fovea_merge_args args;
    fovea_executor executor;
    const fovea_executor *executor_pointer;
    const fovea_merge_args *args_pointer;
    const float *part_out[PARTS];
    const float *part_lse[PARTS];
    memory *m;
} merge_call;

enum { MERGE_ROWS = BATCH * HEADS_Q * LEN_Q };

static void prepare_merge(merge_call *c) {
    memset(c, 0, sizeof *c);
    c->m = new_memory();
    for (int i = 0; i < PARTS; i++) {
        c->part_out[i] = c->m->q + i * MERGE_ROWS * DIM_V;
        c->part_lse[i] = c->m->k + i * MERGE_ROWS;
    }
    c->args = (fovea_merge_args){
        .struct_size = sizeof(fovea_merge_args),
        .parts = PARTS,
        .batch = BATCH,
        .heads = HEADS_Q,
        .len = LEN_Q,
        .head_dim_v = DIM_V,
        .part_out = c->part_out,
        .part_lse = c->part_lse,
        .out = c->m->out,
        .lse = c->m->lse,
        .threads = 1,
    };
    set_strides(c->args.part_out_strides, HEADS_Q, LEN_Q, DIM_V);
    set_strides(c->args.out_strides, HEADS_Q, LEN_Q, DIM_V);
    const int64_t rows[] = {HEADS_Q * LEN_Q, LEN_Q, 1};
    memcpy(c->args.part_lse_strides, rows, sizeof rows);
    memcpy(c->args.lse_strides, rows, sizeof rows);
    c->executor =
        (fovea_executor){.struct_size = sizeof(fovea_executor), .parallel_for = run_on_this_thread, .concurrency = 1};
    c->args_pointer = &c->args;
}

#define CHANGE(name, ...)               \
    static void name(merge_call *c) {   \
        fovea_merge_args *a = &c->args; \
        (void)a;                        \
        __VA_ARGS__;                    \
    }

CHANGE(merge_nothing, (void)c)
CHANGE(merge_args_null, c->args_pointer = NULL)
CHANGE(merge_small, a->struct_size = 16)
CHANGE(merge_no_parts, a->parts = 0)
CHANGE(merge_batch_negative, a->batch = -1)
CHANGE(merge_heads_negative, a->heads = -1)
CHANGE(merge_len_negative, a->len = -1)
CHANGE(merge_head_dim_v_negative, a->head_dim_v = -1)
CHANGE(merge_threads_negative, a->threads = -1)
CHANGE(merge_bytes_overflow, a->len = INT64_MAX / 8)
CHANGE(merge_parts_overflow, a->parts = INT64_MAX)
CHANGE(merge_part_out_null, a->part_out = NULL)
CHANGE(merge_part_lse_null, a->part_lse = NULL)
CHANGE(merge_one_part_null, c->part_out[2] = NULL)
CHANGE(merge_one_lse_null, c->part_lse[1] = NULL)
CHANGE(merge_out_null, a->out = NULL)
CHANGE(merge_part_misaligned, c->part_lse[1] = (const float *)(const void *)((const char *)c->m->k + 2))
CHANGE(merge_part_gapped, a->part_out_strides[3] = 2)
CHANGE(merge_out_gapped, a->out_strides[3] = 3)
CHANGE(merge_out_rows_zero, a->out_strides[2] = 0)
CHANGE(merge_lse_heads_zero, a->lse_strides[1] = 0)
CHANGE(merge_out_overlaps_itself, a->out_strides[2] = 1)
CHANGE(merge_stride_overflow, a->part_lse_strides[0] = INT64_MIN)
CHANGE(merge_in_place, c->part_out[1] = c->m->out)
CHANGE(merge_lse_in_place, c->part_lse[2] = c->m->lse + 1)
CHANGE(merge_out_in_lse, a->lse = c->m->out)
CHANGE(merge_out_in_list, a->out = (float *)(void *)c->part_out)
CHANGE(merge_executor_bad, c->executor_pointer = &c->executor; c->executor.concurrency = -3)
CHANGE(merge_no_lse, a->lse = NULL)
CHANGE(merge_shared_part, c->part_out[1] = c->part_out[0])
CHANGE(merge_empty, a->len = 0; a->out = NULL; a->part_out = NULL; a->part_lse = NULL)
CHANGE(merge_no_values, a->head_dim_v = 0; a->out = NULL; a->part_out = NULL)

#undef CHANGE
#undef INVALID
#undef LEGAL

#define INVALID(change, reason) \
    { {#change, NULL, FOVEA_INVALID, reason}, change }
#define LEGAL(change) \
    { {#change, NULL, FOVEA_OK, ""}, change }

static const struct {
    error_case expected;
    void (*change)(merge_call *);
} merge_cases[] = {
    INVALID(merge_args_null, "args is NULL"),
    INVALID(merge_small, "args.struct_size"),
    INVALID(merge_no_parts, "parts (0)"),
    INVALID(merge_batch_negative, "batch (-1)"),
    INVALID(merge_heads_negative, "heads (-1)"),
    INVALID(merge_len_negative, "len (-1)"),
    INVALID(merge_head_dim_v_negative, "head_dim_v (-1)"),
    INVALID(merge_threads_negative, "threads (-1)"),
    INVALID(merge_bytes_overflow, "overflows"),
    INVALID(merge_parts_overflow, "parts"),
    INVALID(merge_part_out_null, "part_out is NULL"),
    INVALID(merge_part_lse_null, "part_lse is NULL"),
    INVALID(merge_one_part_null, "part 2: part_out is NULL"),
    INVALID(merge_one_lse_null, "part 1: part_lse is NULL"),
    INVALID(merge_out_null, "out is NULL"),
    INVALID(merge_part_misaligned, "part 1: part_lse is not aligned"),
    INVALID(merge_part_gapped, "part_out_strides[3] (2)"),
    INVALID(merge_out_gapped, "out_strides[3] (3)"),
    INVALID(merge_out_rows_zero, "out_strides[2] is 0"),
    INVALID(merge_lse_heads_zero, "lse_strides[1] is 0"),
    INVALID(merge_out_overlaps_itself, "out overlaps itself"),
    INVALID(merge_stride_overflow, "part_lse: its strides"),
    INVALID(merge_in_place, "part 1: out overlaps part_out"),
    INVALID(merge_lse_in_place, "part 2: lse overlaps part_lse"),
    INVALID(merge_out_in_lse, "lse overlaps out"),
    INVALID(merge_out_in_list, "out overlaps part_out"),
    INVALID(merge_executor_bad, "executor.concurrency (-3)"),
    LEGAL(merge_nothing),
    LEGAL(merge_no_lse),
    LEGAL(merge_shared_part),
    LEGAL(merge_empty),
    LEGAL(merge_no_values),
};

START_TEST(merges_are_refused) {
    for (size_t i = 0; i < sizeof merge_cases / sizeof merge_cases[0]; i++) {
        const error_case *test = &merge_cases[i].expected;
        merge_call c;
        prepare_merge(&c);
        merge_cases[i].change(&c);
        static memory before;
        before = *c.m;
        silence s = silence_begin();
        const fovea_status status = fovea_merge(c.args_pointer, c.executor_pointer);
        const long printed = silence_end(&s);
        check_outcome(test, "fovea_merge", status);
        if (status != FOVEA_OK)
            ck_assert_msg(memcmp(&before, c.m, sizeof before) == 0, "%s: memory was written to", test->name);
        ck_assert_msg(printed == 0, "%s: something was printed", test->name);
        free(c.m);
    }
}
END_TEST

/* ---- Reasons and names ---- */

static void *fail_elsewhere(void *other_reason) {
    ck_assert_str_eq(fovea_last_reason(), "");
    fovea_plan_create(NULL, NULL);
    strncpy(other_reason, fovea_last_reason(), 63);
    return NULL;
}

START_TEST(reasons_belong_to_their_thread) {
    call c;
    prepare(&c);
    c.desc.now.threads = -5;
    ck_assert_int_eq(fovea_attention(c.desc_pointer, c.args_pointer, NULL), FOVEA_INVALID);
    const char *reason = fovea_last_reason();
    char elsewhere[64] = "";
    pthread_t thread;
    ck_assert_int_eq(pthread_create(&thread, NULL, fail_elsewhere, elsewhere), 0);
    pthread_join(thread, NULL);
    ck_assert_ptr_nonnull(strstr(elsewhere, "plan"));
    ck_assert_ptr_nonnull(strstr(reason, "threads (-5)"));
    /* A success leaves it alone. */
    c.desc.now.threads = 1;
    ck_assert_int_eq(fovea_attention(c.desc_pointer, c.args_pointer, NULL), FOVEA_OK);
    ck_assert_ptr_nonnull(strstr(fovea_last_reason(), "threads (-5)"));
    dispose(&c);
}
END_TEST

START_TEST(statuses_have_names) {
    ck_assert_str_eq(fovea_status_string(FOVEA_OK), "ok");
    ck_assert_str_eq(fovea_status_string(FOVEA_INVALID), "invalid");
    ck_assert_str_eq(fovea_status_string(FOVEA_UNSUPPORTED), "unsupported");
    ck_assert_str_eq(fovea_status_string(FOVEA_OUT_OF_MEMORY), "out of memory");
    ck_assert_str_eq(fovea_status_string(FOVEA_WORKSPACE_TOO_SMALL), "workspace too small");
    ck_assert_str_eq(fovea_status_string((fovea_status)99), "unknown status");
}
END_TEST

Suite *errors_suite(void) {
    Suite *suite = suite_create("errors");
    TCase *cases = tcase_create("errors");
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, descriptors_are_refused);
    tcase_add_test(cases, arguments_are_refused);
    tcase_add_test(cases, legal_neighbours_work);
    tcase_add_test(cases, refused_memory_is_reported);
    tcase_add_test(cases, missing_plans_are_refused);
    tcase_add_test(cases, merges_are_refused);
    tcase_add_test(cases, reasons_belong_to_their_thread);
    tcase_add_test(cases, statuses_have_names);
    suite_add_tcase(suite, cases);
    return suite;
}
