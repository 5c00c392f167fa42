/* A run of keys of few query rows: which of it is read, its scores, its values. */
#ifndef FOVEA_SRC_DECODE_RUN_H
#define FOVEA_SRC_DECODE_RUN_H

#include "src/call.h"

/* The rows of one item on their way through the keys. */
typedef struct fv_decode_rows {
    const fv_head *head;
    const fv_scratch *scratch;
    int32_t count;
    fv_key_range keys;
    int64_t q_stride;
    int64_t o_stride;
    /* Probabilities are scaled by 2^-shift and forbidden positions left out (see panel.h, "safe"). */
    float shift;
    int32_t safe;
} fv_decode_rows;

/* Keys that are read or left out together, where masks and biases forbid some of a run. */
enum { FV_RUN_PART = 64 };

/* Keys whose scores are taken before their values, and the parts of them that are read, counted from the first. */
typedef struct fv_run {
    int64_t key_begin;
    int32_t keys;
    int32_t part_count;
    fv_key_range parts[FV_MAX_RUN / FV_RUN_PART];
} fv_run;

static inline const fv_row_kernels *fv_row_kernels_of(const fv_decode_rows *r) {
    return r->head->plan->backend->row;
}

static inline float *fv_row_scores(const fv_decode_rows *r, int32_t row) {
    return r->scratch->s + (int64_t)row * FV_RUN_STRIDE;
}

/* The most keys of a run. */
int32_t fv_run_keys(const fv_decode_rows *r);

/* Keys [key_begin, key_begin + keys), their terms if there are any, and their parts: all of them, or what the terms
 * allow. */
void fv_run_begin(const fv_decode_rows *r, int64_t key_begin, int32_t keys, fv_run *run);

/* Asks for what of its keys and values comes slowly. */
void fv_run_ask(const fv_decode_rows *r, const fv_run *run);

/* Final scores, in the plan's units, for every row. */
void fv_run_score(const fv_decode_rows *r, const fv_run *run);

/* Adds the values, by the probabilities that stand where the scores did. */
void fv_run_weigh(const fv_decode_rows *r, const fv_run *run);

#endif
