/* The files of `fovea run` as a call of the library. */
#ifndef FOVEA_CLI_PROBLEM_H
#define FOVEA_CLI_PROBLEM_H

#include "geometry.h"
#include "npy.h"
#include "run_options.h"

typedef struct run_problem {
    npy_array q, k, v, mask, bias, alibi_slopes, sinks, key_lengths, query_offsets;
    /* Results; data is NULL for those that were not asked for. */
    npy_array out, lse, weights;
    /* What the output is compared with, if anything. */
    npy_array reference;
    fovea_attention_desc desc;
    fovea_attention_args args;
} run_problem;

/* Loads the inputs, checks that they belong together, and makes room for the results. problem_free gives everything
 * back, also after a failure. */
cli_status problem_load(const run_options *options, run_problem *problem);

void problem_free(run_problem *problem);

/* Valid keys of a batch entry. */
int64_t problem_keys(const run_problem *problem, int64_t entry);

/* The key position of query row 0's diagonal in a batch entry. */
int64_t problem_diagonal(const run_problem *problem, int64_t entry);

/* Products and sums of the two matrix products, counting only keys within lengths, the diagonal and the window. */
double problem_flops(const run_problem *problem);

#endif
