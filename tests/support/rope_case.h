/* Random calls of fovea_rope, and what they must write, in long double from the header's words. */
#ifndef FOVEA_TESTS_ROPE_CASE_H
#define FOVEA_TESTS_ROPE_CASE_H

#include <stdbool.h>
#include <stdint.h>

#include "fovea/rope.h"
#include "strided.h"
#include "turned.h"

enum { ROPE_MOST_BATCH = 5 };

typedef struct rope_case {
    kernel_memory memory;
    fovea_rope_args args;
    fovea_rotation rotation;
    bool in_place;
    strided q, q_out, k, k_out;
    int64_t count[ROPE_MOST_BATCH], first[ROPE_MOST_BATCH];
} rope_case;

/* A call with up to `largest` tokens a sequence. */
rope_case *rope_create(test_random *random, int64_t largest, fovea_isa isa);
void rope_destroy(rope_case *self);

/* Runs the call on the tensors as they are now. */
fovea_status rope_run(rope_case *self, const fovea_executor *executor);

/* Fails the test unless the last run wrote what it must and nothing else; leaves the tensors as they were before. */
void rope_check(const rope_case *self);

#endif
