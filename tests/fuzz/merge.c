#include <check.h>
#include <stdlib.h>

#include "spoil.h"
#include "src/validate.h"
#include "support/executors.h"
#include "support/merge_case.h"
#include "targets.h"

/* By any number of threads and workers; the results are as before. */
static void run_and_check(merge_case *self, test_random *random) {
    test_executor pool;
    test_executor_init(&pool, EXECUTOR_SHUFFLED, (int32_t)random_between(random, 1, 9), 1);
    self->args.threads = (int32_t)random_between(random, 0, 3);
    const fovea_status status = merge_run(self, test_executor_get(&pool));
    ck_assert_msg(status == FOVEA_OK, "%s", fovea_last_reason());
    merge_check(self);
}

/* Takes a pointer away, misaligns it, or lets a result lie where something else does. */
static void spoil_pointer(merge_case *self, fovea_merge_args *args, test_random *random) {
    const int64_t part = random_between(random, 0, args->parts - 1);
    switch (random_between(random, 0, 5)) {
    case 0:
        args->lse = args->out;
        break;
    case 1:
        args->out = NULL;
        break;
    case 2:
        args->out = (float *)(void *)((char *)args->out + 1);
        break;
    case 3:
        args->part_lse = NULL;
        break;
    case 4:
        self->outs[part] = args->out;
        break;
    default:
        self->lses[part] = NULL;
        break;
    }
}

static void keep_memory(fovea_merge_args *now, const fovea_merge_args *before) {
    SPOIL_KEEP_WITHIN(now, before, parts);
    SPOIL_KEEP(now, before, part_out);
    SPOIL_KEEP(now, before, part_lse);
    SPOIL_KEEP(now, before, out);
    SPOIL_KEEP(now, before, lse);
}

/* What is refused is refused by the call too, and nothing is written. What is not may need memory that is not there. */
static void check_spoiled(merge_case *self, test_random *random) {
    fovea_merge_args *args = spoil_copy(&self->args, sizeof *args, random);
    keep_memory(args, &self->args);
    if (random_chance(random, 0.3)) {
        *args = self->args;
        spoil_pointer(self, args, random);
    }
    const fovea_status status = fv_validate_merge(args);
    if (status != FOVEA_OK) {
        spoil_expect_reason(status);
        ck_assert_int_eq(fovea_merge(args, NULL), status);
        ck_assert_msg(strided_unchanged(&self->out) && (!self->lse.bytes || strided_unchanged(&self->lse)),
                      "an error, and a result was written to");
    }
    free(args);
}

void fuzz_merge(const uint8_t *bytes, size_t size) {
    test_random random = test_random_of_bytes(bytes, size);
    merge_case *self = merge_create(&random, RANDOM_OF(&random, 4, 2, MERGE_MOST_PARTS));
    run_and_check(self, &random);
    run_and_check(self, &random);
    check_spoiled(self, &random);
    merge_destroy(self);
}
