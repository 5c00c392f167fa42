/* What descriptors are refused for. */
#include <check.h>
#include <math.h>

#include "support/error_case.h"

Suite *desc_errors_suite(void);

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
CHANGE(isa_cap_unknown, d->isa_cap = (fovea_isa)8)
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
CHANGE(form_q_paged, d->form_q = FOVEA_FORM_PAGED)
CHANGE(allocator_small, d->allocator = &c->allocator; c->allocator.struct_size--)
CHANGE(allocator_no_allocate, d->allocator = &c->allocator; c->allocator.allocate = NULL)
CHANGE(allocator_no_release, d->allocator = &c->allocator; c->allocator.release = NULL)

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
    INVALID(isa_cap_unknown, "isa_cap (8)"),
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

/* Neighbours of the above that must work. */
static const error_case legal_cases[] = {
    LEGAL(desc_zero_tail), LEGAL(scale_unused),         LEGAL(scale_negative),
    LEGAL(windows_unused), LEGAL(with_largest_windows),
};

START_TEST(descriptors_are_refused) {
    for (size_t i = 0; i < sizeof desc_cases / sizeof desc_cases[0]; i++)
        error_case_run(&desc_cases[i], true);
}
END_TEST

START_TEST(legal_neighbours_of_descriptors_work) {
    for (size_t i = 0; i < sizeof legal_cases / sizeof legal_cases[0]; i++)
        error_case_run(&legal_cases[i], false);
}
END_TEST

Suite *desc_errors_suite(void) {
    Suite *suite = suite_create("desc_errors");
    TCase *cases = tcase_create("errors");
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, descriptors_are_refused);
    tcase_add_test(cases, legal_neighbours_of_descriptors_work);
    suite_add_tcase(suite, cases);
    return suite;
}
