/* Misuse of fovea_kv_append: nothing is written, and the reason names the field. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "fovea/fovea.h"
#include "support/append_case.h"
#include "support/backends.h"

static void expect(append_case *self, fovea_status status, const char *reason) {
    const fovea_status actual = append_run(self, NULL);
    ck_assert_msg(actual == status, "%s instead of %s (%s)", fovea_status_string(actual), fovea_status_string(status),
                  reason);
    ck_assert_msg(strstr(fovea_last_reason(), reason), "\"%s\" does not say \"%s\"", fovea_last_reason(), reason);
    ck_assert(strided_unchanged(&self->k) && strided_unchanged(&self->v));
    ck_assert(!self->k_scales.bytes || strided_unchanged(&self->k_scales));
}

/* A legal call of the given forms, for a field of which to spoil. */
static append_case *legal(fovea_form form_new, fovea_form form_kv, fovea_type type_kv, test_random *random) {
    const append_spec spec = {
        .type_new = FOVEA_F32,
        .type_kv = type_kv,
        .type_index = FOVEA_INDEX_INT64,
        .form_new = form_new,
        .form_kv = form_kv,
        .batch = 2,
        .heads_kv = 2,
        .head_dim = 4,
        .head_dim_v = 3,
        .count = {3, 2},
        .first = {1, 4},
        .capacity = {6, 6},
        .page_size = 2,
    };
    append_case *self = append_create(&spec, random);
    append_run_and_check(self);
    return self;
}

/* Spoils a field, expects the refusal, and mends the field. */
#define EXPECT(field, value, reason)                           \
    do {                                                       \
        __typeof__(self->args.field) kept_ = self->args.field; \
        self->args.field = value;                              \
        expect(self, FOVEA_INVALID, reason);                   \
        self->args.field = kept_;                              \
    } while (0)

START_TEST(misuse_of_a_dense_cache_is_refused_with_a_reason) {
    test_random random = test_random_named("append misuse", _i);
    append_case *self = legal(FOVEA_FORM_DENSE, FOVEA_FORM_DENSE, FOVEA_F32, &random);
    const int64_t list[8] = {0};
    float scale = 0;
    EXPECT(struct_size, 8, "args.struct_size (8)");
    EXPECT(batch, -1, "batch (-1) is negative");
    EXPECT(heads_kv, -1, "heads_kv (-1) is negative");
    EXPECT(len_new, -1, "len_new (-1) is negative");
    EXPECT(len_kv, -1, "len_kv (-1) is negative");
    EXPECT(head_dim, -1, "head_dim (-1) is negative");
    EXPECT(head_dim_v, -1, "head_dim_v (-1) is negative");
    EXPECT(threads, -1, "threads (-1) is negative");
    EXPECT(heads_kv, INT64_MAX / 16, "overflows when counted in bytes");
    EXPECT(type_new, FOVEA_INT8, "type_new is int8");
    EXPECT(type_new, (fovea_type)9, "type_new (9)");
    EXPECT(type_kv, (fovea_type)-1, "type_kv (-1)");
    EXPECT(type_index, (fovea_index_type)2, "type_index (2)");
    EXPECT(form_new, FOVEA_FORM_PAGED, "form_new is paged");
    EXPECT(form_new, (fovea_form)3, "form_new (3)");
    EXPECT(form_kv, (fovea_form)3, "form_kv (3)");
    EXPECT(isa_cap, (fovea_isa)77, "isa_cap (77)");
    EXPECT(page_size, 2, "page_size (2) is given, but form_kv is not paged");
    EXPECT(pages, 2, "pages is given");
    EXPECT(block_table, list, "block_table is given");
    EXPECT(cu_seqlens_new, list, "cu_seqlens_new is given");
    EXPECT(cu_seqlens_kv, list, "cu_seqlens_kv is given");
    EXPECT(k_scales, &scale, "k_scales is given");
    EXPECT(v_scales, &scale, "v_scales is given");
    EXPECT(k_new, NULL, "k_new is NULL");
    EXPECT(v_new, NULL, "v_new is NULL");
    EXPECT(k, NULL, "k is NULL");
    EXPECT(v, NULL, "v is NULL");
    EXPECT(k_new, (const char *)self->args.k_new + 1, "k_new is not aligned");
    EXPECT(first_positions, (const char *)self->args.first_positions + 4, "first_positions is not aligned");
    EXPECT(k_new_strides[3], 2, "k_new_strides[3] (2) is not 1");
    EXPECT(v_new_strides[3], 0, "v_new_strides[3] (0) is not 1");
    EXPECT(k_strides[2], 0, "k_strides[2] is 0");
    EXPECT(v_strides[3], 2, "v_strides[3] (2) is not 1");
    EXPECT(v_strides[1], 1, "v overlaps itself");
    EXPECT(k, self->args.v, "overlaps");
    EXPECT(k_new, self->args.k, "k overlaps k_new");
    EXPECT(lengths_new, ((const int64_t[]){4, 0}), "lengths_new[0] (4)");
    EXPECT(lengths_new, ((const int64_t[]){3, -1}), "lengths_new[1] (-1)");
    EXPECT(first_positions, ((const int64_t[]){-1, 0}), "first_positions[0] (-1) is negative");
    EXPECT(first_positions, ((const int64_t[]){0, 5}), "first_positions[1] (5) and 2 new tokens exceed");
    EXPECT(first_positions, ((const int64_t[]){0, INT64_MAX}), "exceed the capacity of 6");
    append_run_and_check(self);
    append_destroy(self);
}
END_TEST

START_TEST(misuse_of_packed_tokens_is_refused_with_a_reason) {
    test_random random = test_random_named("append packed misuse", _i);
    append_case *self = legal(FOVEA_FORM_PACKED, FOVEA_FORM_PACKED, FOVEA_INT8, &random);
    EXPECT(lengths_new, self->args.first_positions, "lengths_new is given");
    EXPECT(cu_seqlens_new, NULL, "cu_seqlens_new is NULL");
    EXPECT(cu_seqlens_kv, NULL, "cu_seqlens_kv is NULL");
    EXPECT(cu_seqlens_new, ((const int64_t[]){0, 3, 2}), "cu_seqlens_new[2] (2) is less than 3");
    EXPECT(cu_seqlens_new, ((const int64_t[]){-1, 3, 5}), "cu_seqlens_new[0] (-1) is less than 0");
    EXPECT(cu_seqlens_new, ((const int64_t[]){0, 3, 6}), "cu_seqlens_new[2] (6) is more than the 5 tokens");
    EXPECT(cu_seqlens_kv, ((const int64_t[]){0, 6, 13}), "cu_seqlens_kv[2] (13)");
    EXPECT(cu_seqlens_kv, ((const int64_t[]){0, 3, 12}), "first_positions[0] (1) and 3 new tokens exceed");
    EXPECT(k_scales, NULL, "k_scales is NULL");
    EXPECT(k_scale_strides[1], 0, "k_scale_strides[1] is 0");
    EXPECT(v_scale_strides[2], 0, "v_scale_strides[2] is 0");
    EXPECT(v_scales, self->args.k_scales, "overlaps");
    append_run_and_check(self);
    append_destroy(self);
}
END_TEST

START_TEST(misuse_of_pages_is_refused_with_a_reason) {
    test_random random = test_random_named("append paged misuse", _i);
    append_case *self = legal(FOVEA_FORM_DENSE, FOVEA_FORM_PAGED, FOVEA_F16, &random);
    EXPECT(block_table, NULL, "block_table is NULL");
    EXPECT(page_size, 0, "len_kv (6) is no multiple of page_size (0)");
    EXPECT(page_size, 4, "len_kv (6) is no multiple of page_size (4)");
    EXPECT(pages, -1, "pages (-1) is negative");
    /* Sequence 0 has tokens in entries 0 and 1, sequence 1 in entry 2. */
    EXPECT(block_table, ((const int64_t[]){0, 8, 9, 9, 9, 1}), "block_table[0][1] (8) is not in 0 ... pages - 1 (7)");
    EXPECT(block_table, ((const int64_t[]){0, 2, 9, 9, 9, -1}), "block_table[1][2] (-1)");
    EXPECT(block_table, ((const int64_t[]){0, 2, 9, 9, 9, 2}), "block_table[1][2]: page 2 receives tokens already");
    append_run_and_check(self);
    append_destroy(self);
}
END_TEST

START_TEST(pages_that_receive_tokens_twice_are_found_among_many) {
    enum { PAGES = 200000, TOKENS = 300 };
    int8_t *cache = calloc(PAGES, 1);
    float *scales = calloc(PAGES, sizeof *scales);
    float rows[TOKENS];
    int32_t table[TOKENS];
    for (int i = 0; i < TOKENS; i++) {
        rows[i] = (float)i + 1;
        table[i] = (int32_t)((i * INT64_C(7919) * 83) % PAGES);
    }
    fovea_kv_append_args args = {.struct_size = sizeof args, .batch = 1, .heads_kv = 1, .len_new = TOKENS};
    args.len_kv = TOKENS;
    args.head_dim = 1;
    args.type_kv = FOVEA_INT8;
    args.form_kv = FOVEA_FORM_PAGED;
    args.page_size = 1;
    args.pages = PAGES;
    args.k_new = rows;
    args.k_new_strides[2] = 1;
    args.k = cache;
    args.k_strides[0] = 1;
    args.k_scales = scales;
    args.k_scale_strides[0] = 1;
    args.block_table = table;
    args.block_table_strides[1] = 1;
    args.isa_cap = backend_at(_i)->isa;
    ck_assert_msg(fovea_kv_append(&args, NULL) == FOVEA_OK, "%s", fovea_last_reason());
    for (int i = 0; i < TOKENS; i++) {
        ck_assert(cache[table[i]] == 127 && scales[table[i]] == rows[i] / 127);
    }
    for (int i = 1; i < TOKENS; i += 13) {
        const int32_t kept = table[i];
        table[i] = table[(i * 31 + 7) % TOKENS];
        ck_assert_int_eq(fovea_kv_append(&args, NULL), kept == table[i] ? FOVEA_OK : FOVEA_INVALID);
        table[i] = kept;
    }
    free(cache);
    free(scales);
}
END_TEST

START_TEST(arguments_that_are_no_struct_are_refused) {
    ck_assert_int_eq(fovea_kv_append(NULL, NULL), FOVEA_INVALID);
    ck_assert_str_eq(fovea_last_reason(), "args is NULL");
    const fovea_kv_append_args args = {.struct_size = sizeof args};
    const fovea_executor executor = {.struct_size = sizeof executor};
    ck_assert_int_eq(fovea_kv_append(&args, &executor), FOVEA_INVALID);
    ck_assert_int_eq(fovea_kv_append(&args, NULL), FOVEA_OK);
}
END_TEST

Suite *append_errors_suite(void);

Suite *append_errors_suite(void) {
    Suite *suite = suite_create("append_errors");
    TCase *tcase = tcase_create("misuse");
    tcase_add_test(tcase, misuse_of_a_dense_cache_is_refused_with_a_reason);
    tcase_add_test(tcase, misuse_of_packed_tokens_is_refused_with_a_reason);
    tcase_add_test(tcase, misuse_of_pages_is_refused_with_a_reason);
    tcase_add_test(tcase, arguments_that_are_no_struct_are_refused);
    ADD_FOR_BACKENDS(tcase, pages_that_receive_tokens_twice_are_found_among_many);
    suite_add_tcase(suite, tcase);
    return suite;
}
