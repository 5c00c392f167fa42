/* A problem of narrow types, or of packed or paged keys, as one of f32 and dense keys, for the oracle: what its inputs
 * stand for, by definition. */
#ifndef FOVEA_TESTS_WIDENED_H
#define FOVEA_TESTS_WIDENED_H

#include "fovea/attention.h"

typedef struct widened {
    /* All types f32, keys dense; queries and outputs of the form they had. */
    fovea_attention_desc desc;
    fovea_attention_args args;
    /* What was copied to be widened, or NULL. */
    float *q, *k, *v, *bias;
    /* Lengths of packed or paged sequences, or NULL. */
    void *lengths;
} widened;

/* Keys and values past an entry's length are not read. */
widened widened_create(const fovea_attention_desc *desc, const fovea_attention_args *args);

void widened_destroy(widened *self);

#endif
