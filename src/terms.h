/* Additive terms of scores: bias, and boolean masks as -inf, in log2 units. */
#ifndef FOVEA_SRC_TERMS_H
#define FOVEA_SRC_TERMS_H

#include <float.h>

#include "src/call.h"

/* An additive term in units of which `factor` make a natural one. Finite ones stay finite: only -inf forbids, and masks
 * made of the lowest finite number are common. */
static inline float fv_term(float natural, float factor) {
    float term = natural * factor;
    if (term > FLT_MAX && natural <= FLT_MAX)
        return FLT_MAX;
    if (term < -FLT_MAX && natural >= -FLT_MAX)
        return -FLT_MAX;
    return term;
}

/* The terms of one lane for keys [key_begin, key_begin + keys), into row. */
void fv_terms_of_lane(const fv_head *head, int64_t lane, int64_t key_begin, int32_t keys, float *row);

/* The terms of a panel in the layout of its scores, into scratch->terms. */
void fv_terms_of_panel(const fv_head *head, int64_t first_lane, int32_t lanes, int32_t ld, int64_t key_begin,
                       int32_t keys, const fv_scratch *scratch);

#endif
