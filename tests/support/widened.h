/* A problem of narrow types as one of f32, for the oracle: what its inputs stand for, by definition. */
#ifndef FOVEA_TESTS_WIDENED_H
#define FOVEA_TESTS_WIDENED_H

#include "fovea/attention.h"

typedef struct widened {
    /* All types f32; outputs as they were. */
    fovea_attention_desc desc;
    fovea_attention_args args;
    /* What was copied to be widened, or NULL. */
    float *q, *k, *v, *bias;
} widened;

/* Keys and values past an entry's length are not read. */
widened widened_create(const fovea_attention_desc *desc, const fovea_attention_args *args);

void widened_destroy(widened *self);

#endif
