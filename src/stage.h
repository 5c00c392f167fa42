/* Copies of the keys and values of a block, laid out for the cache.
 *
 * Register tiles walk down a block with the row stride of the tensor, once for every few columns. Where that stride is
 * a multiple of a large power of two, the rows fall into few sets of the cache and evict one another before the next
 * columns of the same lines are used. A copy at a stride of an odd number of cache lines does not; it costs one pass
 * for all panels of an item. */
#ifndef FOVEA_SRC_STAGE_H
#define FOVEA_SRC_STAGE_H

#include "src/call.h"

/* Panels that must share a copy to be worth it. */
#define FV_STAGE_PANELS 12

/* Floats of a copy of the rows of a block, of `count` elements each; 0 if rows are too long to be copied. */
int64_t fv_stage_floats(const fovea_plan *plan, int64_t count);

/* The head with keys and values in [keys.begin, keys.end) copied to the scratch where that pays for `users` panels. */
fv_head fv_stage(const fv_head *head, fv_key_range keys, int32_t users, const fv_scratch *scratch);

#endif
