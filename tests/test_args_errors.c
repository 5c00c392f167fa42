/* What arguments are refused for. */
#include <check.h>
#include <string.h>

#include "support/error_case.h"

Suite *args_errors_suite(void);

CHANGE(nothing, (void)c)

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
CHANGE(out_between_rows_of_q, error_set_strides(a->q_strides, HEADS_Q, LEN_Q, DIM + DIM_V);
       error_set_strides(a->out_strides, HEADS_Q, LEN_Q, DIM + DIM_V); a->out = m->q + DIM)
CHANGE(out_touches_rows_of_q, out_between_rows_of_q(c); a->out = m->q + DIM - 1)

/* Everything that may be as large as it gets, at once. */
CHANGE(positions_extreme, offsets_extreme(c); with_largest_windows(c); with_everything(c);
       a->query_offsets = m->wide_numbers; a->key_lengths = m->wide_numbers + 8; a->first_keys = m->wide_numbers + 8;
       m->wide_numbers[8] = LEN_KV)

/* The host. */
CHANGE(executor_given, c->executor_pointer = &c->executor)
CHANGE(executor_small, executor_given(c); c->executor.struct_size = 8)
CHANGE(executor_no_loop, executor_given(c); c->executor.parallel_for = NULL)
CHANGE(executor_no_workers, executor_given(c); c->executor.concurrency = 0)

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
    LEGAL(args_zero_tail),
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

START_TEST(arguments_are_refused) {
    for (size_t i = 0; i < sizeof args_cases / sizeof args_cases[0]; i++)
        error_case_run(&args_cases[i], false);
}
END_TEST

START_TEST(legal_neighbours_of_arguments_work) {
    for (size_t i = 0; i < sizeof legal_cases / sizeof legal_cases[0]; i++)
        error_case_run(&legal_cases[i], false);
}
END_TEST

Suite *args_errors_suite(void) {
    Suite *suite = suite_create("args_errors");
    TCase *cases = tcase_create("errors");
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, arguments_are_refused);
    tcase_add_test(cases, legal_neighbours_of_arguments_work);
    suite_add_tcase(suite, cases);
    return suite;
}
