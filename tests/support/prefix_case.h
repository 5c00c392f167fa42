/* Random calls of fovea_attention_prefix, and what they must give: the oracles of the shared keys and of the sequences'
 * own, merged in double precision. */
#ifndef FOVEA_TESTS_PREFIX_CASE_H
#define FOVEA_TESTS_PREFIX_CASE_H

#include "fovea/prefix.h"
#include "problem.h"

typedef struct prefix_case {
    /* Attention to the sequences' own keys; its outputs are those of the whole. */
    problem *own;
    tensor k, v, k_scales, v_scales;
    fovea_prefix_args prefix;
} prefix_case;

/* A specification of own keys of any form, as a prefix permits it. */
problem_spec prefix_random(test_random *random, int64_t largest, fovea_isa isa, fovea_exp exp);

/* `shared` random keys in front of every sequence of the specification, of which finite numbers are expected. */
prefix_case prefix_create(const problem_spec *spec, int64_t shared);
void prefix_destroy(prefix_case *self);

/* Runs the call once. */
fovea_status prefix_attend(prefix_case *self);

/* Fails the test unless the outputs are what they must be. */
void prefix_compare(const prefix_case *self);

#endif
