/* Additive terms of scores: bias, and boolean masks as -inf. */
#ifndef FOVEA_SRC_TERMS_H
#define FOVEA_SRC_TERMS_H

#include <float.h>

#include "src/panel.h"

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

/* The terms of one lane for keys [key_begin, key_begin + keys), in the plan's units, into row. */
void fv_terms_of_lane(const fv_head *head, int64_t lane, int64_t key_begin, int32_t keys, float *row);

/* Whether any of `keys` terms allows its key. */
int32_t fv_terms_allow_any(const float *row, int32_t keys);

/* Adds the terms of a segment of the block that begins at block_begin to its scores in scratch->s; peak, of the panel's
 * first lane, is raised to the results, or NULL. */
void fv_add_terms(const fv_head *head, const fv_panel *panel, const fv_scratch *scratch, int64_t block_begin,
                  const fv_segment *segment, float *peak);

#endif
