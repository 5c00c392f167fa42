/* Random calls of fovea_merge, and what they must write, in double precision from the header's words. */
#ifndef FOVEA_TESTS_MERGE_CASE_H
#define FOVEA_TESTS_MERGE_CASE_H

#include "fovea/merge.h"
#include "strided.h"

/* More than the library takes at a time. */
enum { MERGE_MOST_PARTS = 70 };

typedef struct merge_case {
    kernel_memory memory;
    fovea_merge_args args;
    strided part_out[MERGE_MOST_PARTS], part_lse[MERGE_MOST_PARTS];
    strided out, lse;
    const float **outs, **lses;
} merge_case;

/* Up to `most` parts of random numbers: some empty, with anything in their outputs, some with numbers that are none. */
merge_case *merge_create(test_random *random, int64_t most);
void merge_destroy(merge_case *self);

/* Runs the call on the tensors as they are now. */
fovea_status merge_run(merge_case *self, const fovea_executor *executor);

/* Fails the test unless the last run wrote what it must and nothing else; leaves the results as they were before. */
void merge_check(const merge_case *self);

#endif
