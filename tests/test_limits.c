/* The edges of what a call takes: sizes whose bytes just fit and just do not, and addresses aligned to their element
 * and to less. */
#include <check.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "fovea/fovea.h"
#include "src/overlap.h"
#include "support/backends.h"
#include "support/problem.h"

/* --- Sizes --- */

/* A product of fields of a descriptor, times the bytes of an element, that must fit FV_MAX_SPAN. */
typedef struct product {
    const char *name;
    int64_t element;
    size_t fields[4];
    fovea_attention_desc options;
} product;

#define FIELD(name) offsetof(fovea_attention_desc, name)

/* Rows have room for f32 whatever their type. */
static const product products[] = {
    {"q", 4, {FIELD(batch), FIELD(heads_q), FIELD(len_q), FIELD(head_dim)}, {0}},
    {"out", 4, {FIELD(batch), FIELD(heads_q), FIELD(len_q), FIELD(head_dim_v)}, {0}},
    {"k", 4, {FIELD(batch), FIELD(heads_kv), FIELD(len_kv), FIELD(head_dim)}, {0}},
    {"v", 4, {FIELD(batch), FIELD(heads_kv), FIELD(len_kv), FIELD(head_dim_v)}, {0}},
    {"mask", 1, {FIELD(batch), FIELD(heads_q), FIELD(len_q), FIELD(len_kv)}, {.inputs = FOVEA_INPUT_MASK}},
    {"bias", 4, {FIELD(batch), FIELD(heads_q), FIELD(len_q), FIELD(len_kv)}, {.inputs = FOVEA_INPUT_BIAS}},
    {"bias",
     2,
     {FIELD(batch), FIELD(heads_q), FIELD(len_q), FIELD(len_kv)},
     {.inputs = FOVEA_INPUT_BIAS, .type_bias = FOVEA_F16}},
    {"weights",
     4,
     {FIELD(batch), FIELD(heads_q), FIELD(len_q), FIELD(len_kv)},
     {.weights = FOVEA_WEIGHTS_PROBABILITIES}},
};

static int64_t *field_of(fovea_attention_desc *desc, size_t offset) {
    return (int64_t *)(void *)((unsigned char *)desc + offset);
}

static fovea_attention_desc smallest(const product *p) {
    fovea_attention_desc desc = p->options;
    desc.struct_size = sizeof desc;
    desc.batch = desc.heads_q = desc.heads_kv = desc.len_q = desc.len_kv = desc.head_dim = desc.head_dim_v = 1;
    return desc;
}

static fovea_status plan_status(const fovea_attention_desc *desc) {
    fovea_plan *plan = NULL;
    const fovea_status status = fovea_plan_create(desc, &plan);
    if (status == FOVEA_OK) {
        /* A plan of any size tells one; execution is not tried. */
        ck_assert_uint_gt(fovea_plan_workspace_size(plan, 1), 0);
        ck_assert_uint_ge(fovea_plan_workspace_size(plan, INT32_MAX), fovea_plan_workspace_size(plan, 1));
    }
    fovea_plan_destroy(plan);
    return status;
}

/* With two axes of the product as large as together just fits, the others 1: legal; with one more: not. */
static void check_edge(const product *p, int first, int second, int64_t size) {
    const int64_t rest = FV_MAX_SPAN / p->element / size;
    for (int64_t more = 0; more <= 1; more++) {
        fovea_attention_desc desc = smallest(p);
        *field_of(&desc, p->fields[first]) = size;
        *field_of(&desc, p->fields[second]) = rest + more;
        const bool heads = desc.heads_q % desc.heads_kv == 0;
        if (more == 0 && heads && desc.batch <= FV_MAX_SPAN / 8) {
            const fovea_status status = plan_status(&desc);
            /* Another tensor may be larger than the one in question. */
            ck_assert_msg(status == FOVEA_OK || strstr(fovea_last_reason(), "overflows"), "%s", fovea_last_reason());
            ck_assert_msg(status == FOVEA_OK || strncmp(fovea_last_reason(), p->name, strlen(p->name)) != 0, "%s %lld",
                          fovea_last_reason(), (long long)size);
        } else if (more == 1) {
            ck_assert_int_eq(plan_status(&desc), FOVEA_INVALID);
        }
    }
}

START_TEST(products_of_sizes_are_legal_up_to_the_last_that_fits) {
    static const int64_t sizes[] = {
        1, 2, 3, 1000, INT64_C(1) << 16, (INT64_C(1) << 31) - 1, INT64_C(1) << 31, (INT64_C(1) << 32) + 1};
    for (size_t i = 0; i < sizeof products / sizeof *products; i++) {
        for (int pair = 0; pair < 16; pair++) {
            for (size_t n = 0; pair / 4 != pair % 4 && n < sizeof sizes / sizeof *sizes; n++) {
                check_edge(&products[i], pair / 4, pair % 4, sizes[n]);
            }
        }
    }
}
END_TEST

/* Products that wrap around to something small, in 64 bits and in 32. */
START_TEST(products_of_sizes_that_wrap_around_are_refused) {
    static const int64_t factors[][4] = {
        {INT64_C(1) << 62, 4, 1, 1},
        {INT64_C(1) << 32, INT64_C(1) << 32, 1, 1},
        {INT64_C(1) << 16, INT64_C(1) << 16, INT64_C(1) << 16, INT64_C(1) << 16},
        {INT64_C(1) << 31, INT64_C(1) << 31, 4, 1},
        {INT64_MAX, 2, 1, 1},
        {3, INT64_C(6148914691236517206), 1, 1},
        {INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX},
    };
    for (size_t i = 0; i < sizeof products / sizeof *products; i++) {
        for (size_t n = 0; n < 4 * sizeof factors / sizeof *factors; n++) {
            fovea_attention_desc desc = smallest(&products[i]);
            for (size_t axis = 0; axis < 4; axis++) {
                *field_of(&desc, products[i].fields[axis]) = factors[n / 4][(axis + n) % 4];
            }
            desc.heads_q = desc.heads_q > desc.heads_kv ? desc.heads_q : desc.heads_kv;
            desc.heads_kv = desc.heads_q;
            ck_assert_int_eq(plan_status(&desc), FOVEA_INVALID);
            ck_assert_msg(strstr(fovea_last_reason(), "overflow") != NULL, "%s", fovea_last_reason());
        }
    }
}
END_TEST

/* --- Strides --- */

START_TEST(strides_are_legal_up_to_the_span_that_fits) {
    const problem_spec spec = PROBLEM(.batch = 3, .len_q = 2, .len_kv = 2, .threads = 1);
    problem *self = problem_create(&spec);
    int64_t *const strides[] = {self->args.q_strides, self->args.k_strides, self->args.v_strides,
                                self->args.out_strides};
    static const int64_t refused[] = {FV_MAX_SPAN / 2 + 1, -(FV_MAX_SPAN / 2 + 1), INT64_MAX,
                                      INT64_MIN,           INT64_MAX / 2,          INT64_MIN / 2};
    for (size_t i = 0; i < 4; i++) {
        for (size_t n = 0; n < sizeof refused / sizeof *refused; n++) {
            const int64_t kept = strides[i][0];
            strides[i][0] = refused[n];
            ck_assert_int_eq(problem_run(self), FOVEA_INVALID);
            ck_assert_ptr_nonnull(strstr(fovea_last_reason(), "strides overflow or leave the address space"));
            strides[i][0] = kept;
        }
    }
    problem_run_ok(self);
    problem_compare(self);
    problem_destroy(self);
}
END_TEST

/* --- Alignment --- */

/* Everything that is optional. */
static problem_spec with_all(int32_t index, fovea_type type, int64_t len_q) {
    problem_spec spec =
        on_case(PROBLEM(.batch = 2, .heads_q = 4, .heads_kv = 2, .len_q = len_q, .len_kv = 75, .head_dim = 21,
                        .head_dim_v = 19, .diagonal = FOVEA_DIAGONAL_OFFSETS, .query_offset = 70, .causal = 1,
                        .type_kv = type, .outputs = FOVEA_OUTPUT_LSE, .weights = FOVEA_WEIGHTS_PROBABILITIES,
                        .inputs = FOVEA_INPUT_MASK | FOVEA_INPUT_BIAS | FOVEA_INPUT_KEY_LENGTHS |
                                  FOVEA_INPUT_FIRST_KEYS | FOVEA_INPUT_ALIBI | FOVEA_INPUT_SINKS),
                index);
    if (type == FOVEA_F16 || type == FOVEA_BF16) {
        spec.type_q = spec.type_out = spec.type_bias = type;
    }
    return spec;
}

/* The data ends at a page's end, so that rows of odd sizes begin at every multiple of their element. */
START_TEST(alignment_to_the_element_is_enough) {
    for (int type = FOVEA_F32; type <= FOVEA_INT8; type++) {
        for (int64_t len_q = 1; len_q <= 40; len_q += 3) {
            problem_spec spec = with_all(_i, (fovea_type)type, len_q);
            spec.side = GUARD_AFTER;
            problem_check(&spec);
        }
    }
}
END_TEST

START_TEST(less_than_the_elements_alignment_is_refused_by_name) {
    const problem_spec spec = with_all(0, FOVEA_INT8, 5);
    problem *self = problem_create(&spec);
    const struct {
        const char *name;
        void *pointer;
    } pointers[] = {
#define POINTER(name) {#name, &self->args.name}
        POINTER(q),          POINTER(out),           POINTER(bias),         POINTER(key_lengths),
        POINTER(first_keys), POINTER(query_offsets), POINTER(alibi_slopes), POINTER(sinks),
        POINTER(k_scales),   POINTER(v_scales),      POINTER(lse),          POINTER(weights),
#undef POINTER
    };
    const outcome untouched = problem_outcome(self);
    for (size_t i = 0; i < sizeof pointers / sizeof *pointers; i++) {
        for (int off = 1; off <= 3; off++) {
            char wanted[80];
            unsigned char *address, *misaligned;
            memcpy(&address, pointers[i].pointer, sizeof address);
            misaligned = address + off;
            memcpy(pointers[i].pointer, &misaligned, sizeof misaligned);
            ck_assert_int_eq(problem_run(self), FOVEA_INVALID);
            snprintf(wanted, sizeof wanted, "%s is not aligned", pointers[i].name);
            ck_assert_msg(strstr(fovea_last_reason(), wanted) != NULL, "%s", fovea_last_reason());
            memcpy(pointers[i].pointer, &address, sizeof address);
        }
    }
    const outcome after = problem_outcome(self);
    ck_assert(outcome_equal(&untouched, &after));
    problem_run_ok(self);
    problem_compare(self);
    outcome_destroy((outcome[]){untouched});
    outcome_destroy((outcome[]){after});
    problem_destroy(self);
}
END_TEST

Suite *limits_suite(void);

Suite *limits_suite(void) {
    Suite *suite = suite_create("limits");
    TCase *sizes = tcase_create("sizes and strides");
    tcase_add_test(sizes, products_of_sizes_are_legal_up_to_the_last_that_fits);
    tcase_add_test(sizes, products_of_sizes_that_wrap_around_are_refused);
    tcase_add_test(sizes, strides_are_legal_up_to_the_span_that_fits);
    suite_add_tcase(suite, sizes);
    TCase *alignment = tcase_create("alignment");
    ADD_FOR_CASES(alignment, alignment_to_the_element_is_enough);
    tcase_add_test(alignment, less_than_the_elements_alignment_is_refused_by_name);
    suite_add_tcase(suite, alignment);
    return suite;
}
