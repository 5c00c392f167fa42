/* ALiBi (Press, Smith and Lewis, "Train Short, Test Long", 2022): scores fall with the distance from the diagonal, by a
 * slope of each query head. */
#ifndef FOVEA_SRC_ALIBI_H
#define FOVEA_SRC_ALIBI_H

#include "src/call.h"

/* What the kernels need of each lane: its slope in the plan's units, and its diagonal relative to the key that they
 * count from. */
typedef struct fv_alibi {
    float slope[FV_MAX_LANES] __attribute__((aligned(FV_ALIGNMENT)));
    float diagonal[FV_MAX_LANES] __attribute__((aligned(FV_ALIGNMENT)));
} fv_alibi;

/* Of `lanes` lanes from first_lane on; lanes of padding have slope 0. */
void fv_alibi_of_lanes(const fv_head *head, int64_t first_lane, int32_t lanes, int64_t key, fv_alibi *alibi);

#endif
