/* Random calls of fovea_kv_append, and what they must write: computed in double precision from the header's words,
 * without the library's code. */
#ifndef FOVEA_TESTS_APPEND_CASE_H
#define FOVEA_TESTS_APPEND_CASE_H

#include "fovea/cache.h"
#include "strided.h"
#include "turned.h"

enum { APPEND_MOST_BATCH = 8 };

typedef struct append_spec {
    fovea_type type_new, type_kv;
    fovea_index_type type_index;
    fovea_form form_new, form_kv;
    int64_t batch, heads_kv, head_dim, head_dim_v;
    /* New tokens of each sequence, how many it has before, and its capacity, at least the sum. */
    int64_t count[APPEND_MOST_BATCH], first[APPEND_MOST_BATCH], capacity[APPEND_MOST_BATCH];
    int64_t page_size;
    /* first_positions, and in the dense form lengths, are NULL: all are alike then. */
    bool plain;
    /* New keys are turned, by a random rotation. */
    bool turned;
    fovea_isa isa;
} append_spec;

typedef struct append_case {
    append_spec spec;
    fovea_kv_append_args args;
    fovea_rotation rotation;
    kernel_memory memory;
    strided k_new, v_new, k, v, k_scales, v_scales;
    void *lengths, *cu_new, *first, *cu_kv, *table;
} append_case;

/* A specification with sizes up to `largest` a sequence. */
append_spec append_random(test_random *random, int64_t largest, fovea_isa isa);

append_case *append_create(const append_spec *spec, test_random *random);
void append_destroy(append_case *self);

/* Runs the call on the tensors as they are now. */
fovea_status append_run(append_case *self, const fovea_executor *executor);

/* Fails the test unless the last run wrote what it must and nothing else; leaves the cache as it was before. */
void append_check(append_case *self);

/* Both, on the default executor; the call must succeed. */
void append_run_and_check(append_case *self);

/* The value of the index at i, and its replacement. */
int64_t append_index(const append_case *self, const void *indices, int64_t i);
void append_set_index(const append_case *self, void *indices, int64_t i, int64_t value);

#endif
