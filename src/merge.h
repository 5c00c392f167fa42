/* Merging partial results of one query row. */
#ifndef FOVEA_SRC_MERGE_H
#define FOVEA_SRC_MERGE_H

#include <stdint.h>

#include "arch/kernel.h"

/* Combines `parts` partial rows: references m[n] (log2 units), sums l[n], outputs o + n * o_distance of `count`
 * elements divided by their sums. A part with l = 0 is neutral, whatever its output holds. Overwrites m with the
 * weights. *m_out and *l_out are the reference and sum of the whole; out is divided by it, 0 if all parts are empty. */
void fv_merge_row(const fv_row_kernels *kernels, fv_exp exp, int64_t parts, float *m, const float *l, const float *o,
                  int64_t o_distance, int64_t count, float *out, float *m_out, float *l_out);

#endif
