#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "spoil.h"
#include "src/validate.h"
#include "support/backends.h"
#include "support/executors.h"
#include "support/rope_case.h"
#include "targets.h"

/* By any number of threads and workers. */
static void run_and_check(rope_case *self, test_random *random) {
    test_executor pool;
    test_executor_init(&pool, EXECUTOR_SHUFFLED, (int32_t)random_between(random, 1, 9), 1);
    self->args.threads = (int32_t)random_between(random, 0, 3);
    const fovea_status status = rope_run(self, test_executor_get(&pool));
    ck_assert_msg(status == FOVEA_OK, "%s", fovea_last_reason());
    rope_check(self);
}

static bool is_unchanged(const rope_case *self) {
    const strided *const all[] = {&self->q, &self->q_out, &self->k, &self->k_out};
    for (int i = 0; i < 4; i++) {
        if (all[i]->bytes && !strided_unchanged(all[i])) {
            return false;
        }
    }
    return true;
}

static void keep_memory(fovea_rope_args *now, const fovea_rope_args *before) {
    SPOIL_KEEP_WITHIN(now, before, batch);
    SPOIL_KEEP_WITHIN(now, before, len);
    SPOIL_KEEP_WITHIN(now, before, head_dim);
    SPOIL_KEEP_WITHIN(now, before, type_index);
    SPOIL_KEEP(now, before, q);
    SPOIL_KEEP(now, before, q_out);
    SPOIL_KEEP(now, before, k);
    SPOIL_KEEP(now, before, k_out);
    SPOIL_KEEP(now, before, lengths);
    SPOIL_KEEP(now, before, cu_seqlens);
    SPOIL_KEEP(now, before, first_positions);
    SPOIL_KEEP(now, before, rotation);
}

/* Takes a pointer away, or lets a result lie where something else does. */
static void spoil_pointer(fovea_rope_args *args, test_random *random) {
    switch (random_between(random, 0, 7)) {
    case 0:
        args->q_out = args->k_out;
        break;
    case 1:
        args->q_out = (char *)args->q_out + 1;
        break;
    case 2:
        args->k = args->q_out;
        break;
    case 3:
        args->k_out = NULL;
        break;
    case 4:
        args->q = NULL;
        break;
    case 5:
        args->cu_seqlens = NULL;
        break;
    case 6:
        args->first_positions = args->first_positions ? (const char *)args->first_positions + 1 : NULL;
        break;
    default:
        args->rotation = NULL;
        break;
    }
}

/* What is refused is refused by the call too, and nothing is written. What is not may need memory that is not there. */
static void check_spoiled(const rope_case *self, test_random *random) {
    fovea_rope_args *args = spoil_copy(&self->args, sizeof *args, random);
    keep_memory(args, &self->args);
    fovea_rotation *rotation = spoil_rotation(&self->rotation, random);
    switch (random_between(random, 0, 2)) {
    case 0:
        break;
    case 1:
        *args = self->args;
        args->rotation = rotation;
        break;
    default:
        *args = self->args;
        spoil_pointer(args, random);
        break;
    }
    const fovea_status status = fv_validate_rope(args);
    if (status != FOVEA_OK) {
        spoil_expect_reason(status);
        ck_assert_int_eq(fovea_rope(args, NULL), status);
        ck_assert_msg(is_unchanged(self), "an error, and a result was written to");
    }
    free(rotation);
    free(args);
}

void fuzz_rope(const uint8_t *bytes, size_t size) {
    test_random random = test_random_of_bytes(bytes, size);
    const int64_t largest = RANDOM_OF(&random, 5, 1, 20);
    rope_case *self = rope_create(&random, largest, backend_any_cap(&random));
    run_and_check(self, &random);
    run_and_check(self, &random);
    check_spoiled(self, &random);
    rope_destroy(self);
}
