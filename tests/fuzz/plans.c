#include <check.h>

#include "support/backends.h"
#include "support/problem.h"
#include "targets.h"

enum { LARGEST = 80, MOST_ROUNDS = 5 };

/* Multiplications that an oracle is asked for at most. */
static const int64_t most_work = 1000000;

static int64_t work_of(const problem_spec *spec) {
    return spec->batch * spec->heads_q * spec->len_q * spec->len_kv * (spec->head_dim + spec->head_dim_v);
}

/* A length up to a capacity, mostly within a few tiles, sometimes across blocks and splits. */
static int64_t any_length(test_random *random, int64_t capacity) {
    enum { LONGEST = 1100 };
    capacity = capacity < LONGEST ? capacity : LONGEST;
    const int64_t some = random_between(random, capacity > 0, capacity < LARGEST ? capacity : LARGEST);
    const int64_t any = random_between(random, 0, capacity);
    return RANDOM_OF(random, some, some, some, any, capacity);
}

/* Other lengths, values and memory for the same descriptor. */
static problem_spec next_of(const problem_spec *first, test_random *random) {
    problem_spec spec = *first;
    const int64_t room_q = first->len_q + first->spare_q, room_kv = first->len_kv + first->spare_kv;
    const int64_t unit = first->page_size > 0 ? first->page_size : 1;
    spec.seed = (uint64_t)random_between(random, 0, UINT16_MAX);
    /* A row a page takes many pages. */
    spec.layout_q = spec.layout_q == LAYOUT_ROW_A_PAGE ? LAYOUT_PADDED : spec.layout_q;
    spec.layout_k = spec.layout_k == LAYOUT_ROW_A_PAGE ? LAYOUT_PADDED : spec.layout_k;
    spec.layout_v = spec.layout_v == LAYOUT_ROW_A_PAGE ? LAYOUT_PADDED : spec.layout_v;
    spec.len_q = any_length(random, room_q);
    spec.len_kv = any_length(random, room_kv / unit) * unit;
    spec.len_kv = spec.len_kv < room_kv ? spec.len_kv : room_kv;
    if (spec.fused_qkv) {
        /* Views of one buffer have one length. */
        spec.len_q = spec.len_kv = spec.len_q < room_kv ? spec.len_q : room_kv;
    }
    while (work_of(&spec) > most_work) {
        spec.len_q /= 2;
        spec.len_kv = spec.fused_qkv ? spec.len_q : spec.len_kv / unit / 2 * unit;
    }
    spec.spare_q = room_q - spec.len_q;
    spec.spare_kv = room_kv - spec.len_kv;
    spec.form = random_chance(random, 0.5) ? CALL_PLAN : CALL_WORKSPACE;
    spec.concurrency = (int32_t)random_between(random, 1, 9);
    spec.side = random_chance(random, 0.5) ? GUARD_AFTER : GUARD_BEFORE;
    spec.layout_out = (tensor_layout)random_between(random, LAYOUT_BHSD, LAYOUT_REVERSED);
    return spec;
}

/* The same call by itself, without room for more. */
static problem_spec alone(problem_spec spec) {
    spec.form = CALL_ONCE;
    spec.spare_q = spec.spare_kv = 0;
    return spec;
}

static void check_round(const problem_spec *spec, const fovea_plan *plan) {
    const problem_spec by_itself = alone(*spec);
    problem *self = problem_create(spec);
    const fovea_status status = problem_execute(self, plan);
    if (status != FOVEA_OK) {
        problem_fail(self, "%s: %s", fovea_status_string(status), fovea_last_reason());
    }
    problem_compare(self);
    outcome reused = problem_outcome(self), fresh = problem_solve(&by_itself);
    if (!outcome_equal(&reused, &fresh)) {
        problem_fail(self, "the result depends on the plan's capacities or on what it was used for before");
    }
    outcome_destroy(&reused);
    outcome_destroy(&fresh);
    problem_destroy(self);
}

void fuzz_plans(const uint8_t *bytes, size_t size) {
    test_random random = test_random_of_bytes(bytes, size);
    const fovea_exp exp = (fovea_exp)random_between(&random, FOVEA_EXP_DEFAULT, FOVEA_EXP_FUSED);
    problem_spec first = problem_random(&random, LARGEST, backend_any_cap(&random), exp);
    first.executor = EXECUTOR_SHUFFLED;
    problem *described = problem_create(&first);
    fovea_plan *plan = NULL;
    ck_assert_msg(fovea_plan_create(&described->desc, &plan) == FOVEA_OK, "%s", fovea_last_reason());
    for (int64_t rounds = random_between(&random, 1, MOST_ROUNDS); rounds > 0; rounds--) {
        const problem_spec spec = next_of(&first, &random);
        check_round(&spec, plan);
    }
    fovea_plan_destroy(plan);
    problem_destroy(described);
}
