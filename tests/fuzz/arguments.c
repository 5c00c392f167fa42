#include <check.h>
#include <float.h>
#include <stddef.h>
#include <string.h>

#include "src/plan.h"
#include "src/validate.h"
#include "support/backends.h"
#include "support/problem.h"
#include "targets.h"

/* More than any struct_size that the library believes. */
enum { ROOM = 8192, EDITS = 4 };

/* Structs with zeros behind them, as a caller of a newer version may have. */
typedef union room_desc {
    fovea_attention_desc desc;
    unsigned char bytes[ROOM];
} room_desc;

typedef union room_args {
    fovea_attention_args args;
    unsigned char bytes[ROOM];
} room_args;

/* Numbers of four or eight bytes that are a size, a stride, a flag, an enum or a float, or its end, or none. */
static uint64_t interesting(test_random *random) {
    static const float reals[] = {-1, FLT_MAX, FLT_MIN, FLT_TRUE_MIN, 0x1p-100f};
    uint32_t real;
    memcpy(&real, &reals[random_between(random, 0, 4)], sizeof real);
    const int64_t shift = random_between(random, 0, 63), small = random_between(random, -3, 300);
    return (uint64_t)RANDOM_OF(random, small, small, INT64_MAX, INT64_MIN, (int64_t)(UINT64_C(1) << shift),
                               (int64_t)((UINT64_C(1) << shift) + (uint64_t)small), INT32_MAX, INT32_MIN,
                               INT32_MAX + INT64_C(1), 0x7f800000, 0x7fc00000, real, (int64_t)random_bits(random));
}

/* Writes to some place where a field may be, mostly within the struct. */
static void edit(unsigned char *bytes, size_t size, test_random *random) {
    enum { WIDE = 8, BEHIND = 16 };
    const size_t reach = (size + (random_chance(random, 0.1) ? BEHIND : 0)) / WIDE;
    const size_t at = WIDE * (size_t)random_between(random, 0, (int64_t)reach - 1);
    const uint64_t value = interesting(random);
    switch (random_between(random, 0, 2)) {
    case 0:
        memcpy(bytes + at, &value, WIDE);
        break;
    case 1:
        memcpy(bytes + at, &value, WIDE / 2);
        break;
    default:
        memcpy(bytes + at + WIDE / 2, &value, WIDE / 2);
        break;
    }
}

static void expect_reason(fovea_status status) {
    ck_assert_int_ne(status, FOVEA_OK);
    ck_assert_str_ne(fovea_last_reason(), "");
    ck_assert_str_ne(fovea_status_string(status), "unknown status");
}

/* A plan of any sizes answers questions about itself. */
static void check_plan(const fovea_plan *plan) {
    char text[2][400];
    const size_t length = fovea_plan_describe(plan, text[0], sizeof text[0]);
    ck_assert_uint_gt(length, 0);
    ck_assert_uint_eq(fovea_plan_describe(plan, text[1], 1), length);
    ck_assert_str_eq(text[1], "");
    size_t before = 0;
    for (int32_t workers = 1; workers > 0 && workers <= INT32_MAX / 8; workers *= 8) {
        const size_t size = fovea_plan_workspace_size(plan, workers);
        ck_assert_uint_ge(size, before);
        before = size;
    }
}

static void try_descriptor(const problem *self, test_random *random) {
    room_desc room = {.desc = self->desc};
    for (int64_t edits = random_between(random, 1, EDITS); edits > 0; edits--) {
        edit(room.bytes, sizeof room.desc, random);
    }
    room.desc.allocator = NULL;
    fovea_plan *plan = NULL;
    const fovea_status status = fovea_plan_create(&room.desc, &plan);
    if (status == FOVEA_OK) {
        check_plan(plan);
    } else {
        expect_reason(status);
        ck_assert_ptr_null(plan);
    }
    fovea_plan_destroy(plan);
}

/* The fields that are read through while arguments are checked, or address memory: they are not edited blindly. */
#define FOR_POINTERS(DO) \
    DO(q)                \
    DO(k)                \
    DO(v)                \
    DO(out)              \
    DO(mask)             \
    DO(bias)             \
    DO(key_lengths)      \
    DO(first_keys)       \
    DO(query_offsets)    \
    DO(alibi_slopes)     \
    DO(sinks)            \
    DO(cu_seqlens_q) DO(cu_seqlens_kv) DO(block_table) DO(k_scales) DO(v_scales) DO(lse) DO(weights) DO(workspace)

static const size_t pointers[] = {
#define OFFSET(name) offsetof(fovea_attention_args, name),
    FOR_POINTERS(OFFSET)
#undef OFFSET
};

static void keep_pointers(room_args *room, const fovea_attention_args *given) {
    for (size_t i = 0; i < sizeof pointers / sizeof *pointers; i++) {
        memcpy(room->bytes + pointers[i], (const unsigned char *)given + pointers[i], sizeof(void *));
    }
    memcpy(room->args.block_table_strides, given->block_table_strides, sizeof given->block_table_strides);
}

/* Takes one away, misaligns it, or lets it overlap the output. */
static void edit_pointer(room_args *room, test_random *random) {
    unsigned char *field =
        room->bytes + pointers[random_between(random, 0, (int64_t)(sizeof pointers / sizeof *pointers) - 1)];
    unsigned char *pointer;
    memcpy(&pointer, field, sizeof pointer);
    switch (random_between(random, 0, 2)) {
    case 0:
        pointer = NULL;
        break;
    case 1:
        pointer += pointer != NULL;
        break;
    default:
        pointer = room->args.out;
        break;
    }
    memcpy(field, &pointer, sizeof pointer);
}

/* What is refused is refused by the call too, and nothing is written. What is not may need memory that is not there. */
static void try_arguments(problem *self, test_random *random) {
    room_args room = {.args = self->args};
    for (int64_t edits = random_between(random, 0, EDITS - 1); edits > 0; edits--) {
        edit(room.bytes, sizeof room.args, random);
    }
    keep_pointers(&room, &self->args);
    if (random_chance(random, 0.5)) {
        edit_pointer(&room, random);
    }
    fovea_plan *plan = NULL;
    ck_assert_int_eq(fovea_plan_create(&self->desc, &plan), FOVEA_OK);
    const fovea_status status = fv_validate_args(&plan->desc, &room.args);
    if (status != FOVEA_OK) {
        expect_reason(status);
        outcome before = problem_outcome(self);
        ck_assert_int_eq(fovea_execute(plan, &room.args, test_executor_get(&self->executor)), status);
        outcome after = problem_outcome(self);
        ck_assert_msg(outcome_equal(&before, &after), "an error, and the output was written to");
        outcome_destroy(&before);
        outcome_destroy(&after);
    }
    fovea_plan_destroy(plan);
}

void fuzz_arguments(const uint8_t *bytes, size_t size) {
    enum { LARGEST = 20 };
    test_random random = test_random_of_bytes(bytes, size);
    const bool descriptor = random_chance(&random, 0.5);
    problem_spec spec = problem_random(&random, LARGEST, FOVEA_ISA_AUTO, FOVEA_EXP_DEFAULT);
    spec.executor = EXECUTOR_SHUFFLED;
    problem *self = problem_create(&spec);
    if (descriptor) {
        try_descriptor(self, &random);
    } else {
        try_arguments(self, &random);
    }
    /* Whatever was refused before, a legal call works. */
    problem_run_ok(self);
    problem_destroy(self);
}
