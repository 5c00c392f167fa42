/* fovea_kv_append: every type, form and layout against an oracle in double precision; misuse; threads. */
#include <check.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fovea/fovea.h"
#include "support/append_case.h"
#include "support/backends.h"
#include "support/executors.h"
#include "support/fpmode.h"

static const fovea_executor *default_executor(test_executor *pool) {
    test_executor_init(pool, EXECUTOR_DEFAULT, 2, 0);
    return test_executor_get(pool);
}

static void run_and_check(append_case *self) {
    test_executor pool;
    const fovea_status status = append_run(self, default_executor(&pool));
    ck_assert_msg(status == FOVEA_OK, "%s", fovea_last_reason());
    append_check(self);
}

static void check_spec(const append_spec *spec, test_random *random) {
    append_case *self = append_create(spec, random);
    run_and_check(self);
    append_destroy(self);
}

/* One sequence, `count` new tokens behind three others. */
static append_spec one_sequence(int32_t index, fovea_type type_new, fovea_type type_kv, int64_t count) {
    return (append_spec){
        .type_new = type_new,
        .type_kv = type_kv,
        .batch = 1,
        .heads_kv = 2,
        .head_dim = 8,
        .head_dim_v = 8,
        .count = {count},
        .first = {3},
        .capacity = {count + 5},
        .page_size = 2,
        .isa = backend_at(index)->isa,
    };
}

START_TEST(random_calls_write_what_they_must_and_nothing_else) {
    test_random random = test_random_named("append", _i);
    for (int64_t i = 0; i < test_scaled(120); i++) {
        const append_spec spec = append_random(&random, RANDOM_OF(&random, 1, 6, 30), backend_at(_i)->isa);
        check_spec(&spec, &random);
    }
}
END_TEST

START_TEST(every_pair_of_types_at_every_length_of_a_row) {
    test_random random = test_random_named("append types", _i);
    int64_t entry = 0;
    for (int type_new = FOVEA_F32; type_new <= FOVEA_BF16; type_new++) {
        for (int type_kv = FOVEA_F32; type_kv <= FOVEA_INT8; type_kv++) {
            for (int64_t dim = 1; dim <= 70; dim++) {
                append_spec spec = one_sequence(_i, (fovea_type)type_new, (fovea_type)type_kv, 2);
                spec.head_dim = dim;
                spec.head_dim_v = 71 - dim;
                if (test_takes(entry++, _i)) {
                    check_spec(&spec, &random);
                }
            }
        }
    }
}
END_TEST

START_TEST(rows_longer_than_a_piece_have_one_scale) {
    test_random random = test_random_named("append long rows", _i);
    for (int type_new = FOVEA_F32; type_new <= FOVEA_BF16; type_new++) {
        for (int64_t dim = 511; dim <= 1537; dim += 171) {
            append_spec spec = one_sequence(_i, (fovea_type)type_new, FOVEA_INT8, 3);
            spec.head_dim = dim;
            append_case *self = append_create(&spec, &random);
            /* The largest element in any of the pieces. */
            for (int64_t i = 0; i < 3; i++) {
                strided_put(&self->k_new, 0, 0, i, random_between(&random, 0, dim - 1), -7);
            }
            run_and_check(self);
            append_destroy(self);
        }
    }
}
END_TEST

static const double hostile[] = {(double)NAN,
                                 (double)INFINITY,
                                 -(double)INFINITY,
                                 0,
                                 -0.0,
                                 3.4e38,
                                 -3.4e38,
                                 65504,
                                 65519.996,
                                 65520,
                                 1e-45,
                                 -1e-40,
                                 (double)FLT_MIN,
                                 5.9e-8,
                                 2.9802322387695312e-8,
                                 -1e-38,
                                 127.5,
                                 -0.5};
enum { HOSTILE = sizeof hostile / sizeof *hostile };

START_TEST(hostile_values_convert_as_the_header_says) {
    test_random random = test_random_named("append hostile", _i);
    for (int64_t entry = 0; entry < 3 * 4 * HOSTILE; entry++) {
        const fovea_type type_new = (fovea_type)(entry % 3), type_kv = (fovea_type)(entry / 3 % 4);
        append_spec spec = one_sequence(_i, type_new, type_kv, 5);
        spec.head_dim = 21;
        append_case *self = append_create(&spec, &random);
        /* One value among others, in the vector part and in the tail; alone among zeros; a whole row of them. */
        const double value = hostile[entry / 12];
        strided_put(&self->k_new, 0, 0, 0, 1, value);
        strided_put(&self->k_new, 0, 0, 1, 20, value);
        for (int64_t d = 0; d < 21; d++) {
            strided_put(&self->k_new, 0, 0, 2, d, d == 11 ? value : 0);
            strided_put(&self->k_new, 0, 0, 3, d, value);
            strided_put(&self->k_new, 0, 0, 4, d, hostile[(entry / 12 + d) % HOSTILE]);
        }
        run_and_check(self);
        append_destroy(self);
    }
}
END_TEST

START_TEST(a_row_of_zeros_has_scale_zero_and_one_with_a_nan_reads_as_nan) {
    test_random random = test_random_named("append int8", _i);
    const append_spec spec = one_sequence(_i, FOVEA_F32, FOVEA_INT8, 3);
    append_case *self = append_create(&spec, &random);
    for (int64_t d = 0; d < 8; d++) {
        strided_put(&self->k_new, 0, 0, 0, d, 0);
    }
    strided_put(&self->k_new, 0, 0, 1, 3, (double)NAN);
    strided_put(&self->k_new, 0, 0, 2, 5, -12.7);
    ck_assert_int_eq(append_run(self, NULL), FOVEA_OK);
    const int64_t outer = 0, first = 3;
    ck_assert(strided_get(&self->k_scales, outer, 0, first, 0) == 0);
    ck_assert(isnan(strided_get(&self->k_scales, outer, 0, first + 1, 0)));
    ck_assert(strided_get(&self->k_scales, outer, 0, first + 2, 0) == (double)(12.7f / 127));
    for (int64_t d = 0; d < 8; d++) {
        ck_assert(strided_get(&self->k, outer, 0, first, d) == 0);
        ck_assert(strided_get(&self->k, outer, 0, first + 1, d) == 0);
    }
    ck_assert(strided_get(&self->k, outer, 0, first + 2, 5) == -127);
    append_check(self);
    append_destroy(self);
}
END_TEST

START_TEST(elements_that_keep_their_type_are_copied_as_bits) {
    test_random random = test_random_named("append bits", _i);
    for (int type = FOVEA_F32; type <= FOVEA_BF16; type++) {
        append_spec spec = one_sequence(_i, (fovea_type)type, (fovea_type)type, 2);
        append_case *self = append_create(&spec, &random);
        for (int64_t i = 0; i < self->k_new.bytes_size; i++) {
            self->k_new.bytes[i] = (unsigned char)(random_bits(&random) >> 32);
        }
        ck_assert_int_eq(append_run(self, NULL), FOVEA_OK);
        for (int64_t i = 0; i < 2; i++) {
            ck_assert_mem_eq(strided_at(&self->k, 0, 1, 3 + i, 0), strided_at(&self->k_new, 0, 1, i, 0),
                             (size_t)(8 * self->k.element));
        }
        append_check(self);
        append_destroy(self);
    }
}
END_TEST

/* --- Threads --- */

START_TEST(the_bits_are_the_same_for_any_threads_and_executor) {
    test_random random = test_random_named("append threads", _i);
    append_spec spec = one_sequence(_i, FOVEA_F32, FOVEA_INT8, 0);
    spec.batch = 3;
    spec.head_dim = 128;
    spec.head_dim_v = 100;
    for (int64_t b = 0; b < 3; b++) {
        spec.count[b] = 150 + b;
        spec.capacity[b] = 170;
    }
    for (int form = FOVEA_FORM_DENSE; form <= FOVEA_FORM_PAGED; form++) {
        spec.form_kv = (fovea_form)form;
        spec.form_new = form == FOVEA_FORM_PAGED ? FOVEA_FORM_PACKED : FOVEA_FORM_DENSE;
        spec.page_size = 16;
        append_case *self = append_create(&spec, &random);
        const uint64_t mode = fpmode_get();
        for (int executor = EXECUTOR_DEFAULT; executor <= EXECUTOR_SHUFFLED; executor++) {
            for (int32_t threads = 0; threads <= 5; threads++) {
                test_executor pool;
                test_executor_init(&pool, (executor_kind)executor, 4, (uint64_t)threads);
                self->args.threads = threads;
                ck_assert_int_eq(append_run(self, test_executor_get(&pool)), FOVEA_OK);
                /* The oracle knows one result; scales and elements compare exactly. */
                append_check(self);
                ck_assert(!pool.environment_changed);
                ck_assert(executor == EXECUTOR_DEFAULT || threads == 1 || pool.loops == 1);
            }
        }
        ck_assert(mode == fpmode_get());
        append_destroy(self);
    }
}
END_TEST

/* --- Layouts and sizes --- */

START_TEST(keys_and_values_may_be_views_of_one_buffer) {
    enum { HEADS = 2, LEN = 5, DIM = 4, ROW = 2 * HEADS * DIM };
    const float rows[2 * ROW] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23};
    float cache[LEN * ROW] = {0};
    fovea_kv_append_args args = {.struct_size = sizeof args, .batch = 1, .heads_kv = HEADS, .len_new = 2};
    args.len_kv = LEN;
    args.head_dim = args.head_dim_v = DIM;
    args.k_new = rows;
    args.v_new = rows + HEADS * DIM;
    args.k = cache;
    args.v = cache + HEADS * DIM;
    const int64_t strides[4] = {0, DIM, ROW, 1};
    memcpy(args.k_new_strides, strides, sizeof strides);
    memcpy(args.v_new_strides, strides, sizeof strides);
    memcpy(args.k_strides, strides, sizeof strides);
    memcpy(args.v_strides, strides, sizeof strides);
    const int64_t first = 2;
    args.type_index = FOVEA_INDEX_INT64;
    args.first_positions = &first;
    ck_assert_msg(fovea_kv_append(&args, NULL) == FOVEA_OK, "%s", fovea_last_reason());
    ck_assert_mem_eq(cache + 2 * ROW, rows, sizeof rows);
    ck_assert(cache[2 * ROW - 1] == 0 && cache[4 * ROW] == 0);
}
END_TEST

START_TEST(new_tokens_may_be_broadcast) {
    const float row[3] = {1, 2, 3};
    float k[2 * 2 * 2 * 3] = {0};
    fovea_kv_append_args args = {.struct_size = sizeof args, .batch = 2, .heads_kv = 2, .len_new = 2};
    args.len_kv = 2;
    args.head_dim = 3;
    args.k_new = row;
    args.k_new_strides[3] = args.k_strides[3] = 1;
    args.k = k;
    args.k_strides[0] = 12;
    args.k_strides[1] = 6;
    args.k_strides[2] = 3;
    ck_assert_msg(fovea_kv_append(&args, NULL) == FOVEA_OK, "%s", fovea_last_reason());
    for (int i = 0; i < 24; i++) {
        ck_assert(k[i] == row[i % 3]);
    }
}
END_TEST

START_TEST(sizes_of_zero_do_nothing) {
    fovea_kv_append_args args = {.struct_size = sizeof args, .batch = 2, .heads_kv = 2, .len_new = 3};
    args.len_kv = 3;
    /* Neither keys nor values. */
    ck_assert_msg(fovea_kv_append(&args, NULL) == FOVEA_OK, "%s", fovea_last_reason());
    args.head_dim = args.head_dim_v = 4;
    int64_t *const sizes[] = {&args.batch, &args.heads_kv, &args.len_new};
    for (int i = 0; i < 3; i++) {
        const int64_t size = *sizes[i];
        *sizes[i] = 0;
        ck_assert_msg(fovea_kv_append(&args, NULL) == FOVEA_OK, "%s", fovea_last_reason());
        *sizes[i] = size;
    }
    /* A cache without room takes no tokens. */
    const int32_t lengths[] = {0, 0};
    const float row[4] = {0};
    args.len_kv = 0;
    args.lengths_new = lengths;
    args.k_new = args.v_new = row;
    args.k_new_strides[3] = args.v_new_strides[3] = 1;
    ck_assert_msg(fovea_kv_append(&args, NULL) == FOVEA_OK, "%s", fovea_last_reason());
}
END_TEST

/* --- Misuse: nothing is written, and the reason names the field --- */

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
    run_and_check(self);
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
    run_and_check(self);
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
    run_and_check(self);
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
    run_and_check(self);
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

Suite *append_suite(void);

Suite *append_suite(void) {
    Suite *suite = suite_create("append");
    TCase *tcase = tcase_create("every backend");
    ADD_FOR_BACKENDS(tcase, rows_longer_than_a_piece_have_one_scale);
    ADD_FOR_BACKENDS(tcase, a_row_of_zeros_has_scale_zero_and_one_with_a_nan_reads_as_nan);
    ADD_FOR_BACKENDS(tcase, elements_that_keep_their_type_are_copied_as_bits);
    ADD_FOR_BACKENDS(tcase, the_bits_are_the_same_for_any_threads_and_executor);
    ADD_FOR_BACKENDS(tcase, pages_that_receive_tokens_twice_are_found_among_many);
    suite_add_tcase(suite, tcase);
    /* bf16 often lies between two subnormals of f16. Emulators that are wrong there leave these out (CK_EXCLUDE_TAGS).
     */
    tcase = tcase_create("midpoints of f16");
    tcase_set_tags(tcase, "f16-midpoints");
    ADD_FOR_BACKENDS(tcase, random_calls_write_what_they_must_and_nothing_else);
    ADD_FOR_BACKENDS(tcase, every_pair_of_types_at_every_length_of_a_row);
    ADD_FOR_BACKENDS(tcase, hostile_values_convert_as_the_header_says);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("layouts, sizes and misuse");
    tcase_add_test(tcase, keys_and_values_may_be_views_of_one_buffer);
    tcase_add_test(tcase, new_tokens_may_be_broadcast);
    tcase_add_test(tcase, sizes_of_zero_do_nothing);
    tcase_add_test(tcase, misuse_of_a_dense_cache_is_refused_with_a_reason);
    tcase_add_test(tcase, misuse_of_packed_tokens_is_refused_with_a_reason);
    tcase_add_test(tcase, misuse_of_pages_is_refused_with_a_reason);
    tcase_add_test(tcase, arguments_that_are_no_struct_are_refused);
    suite_add_tcase(suite, tcase);
    return suite;
}
