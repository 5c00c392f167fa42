/* Copies of the keys and values of a block, in the type that the kernels read and laid out for the cache.
 *
 * The panel kernels read f32: rows of another type are widened here, once for all panels of an item. The pair kernels
 * read keys in bf16 and values in pairs: here rows are narrowed and interleaved for them.
 *
 * Rows in pages are copied too, unless those of the block lie in one page: the kernels know no pages.
 *
 * Register tiles walk down a block with the row stride of the tensor, once for every few columns. Where that stride is
 * a multiple of a large power of two, the rows fall into few sets of the cache and evict one another before the next
 * columns of the same lines are used. A copy at a stride of an odd number of cache lines does not; it costs one pass
 * for all panels of an item. */
#ifndef FOVEA_SRC_STAGE_H
#define FOVEA_SRC_STAGE_H

#include "src/call.h"

/* Panels that must share a copy of values that follow one another to be worth it; and lanes, with those of padding, for
 * keys and values that lie apart, as of a tensor of (batch, tokens, heads, elements). */
#define FV_STAGE_PANELS 12
#define FV_STAGE_LANES 64

/* Floats of a copy of the rows of a block, of `count` elements each, if `panels` panels may share it; 0 if there will
 * be none. */
int64_t fv_stage_floats(const fovea_plan *plan, int64_t panels, int64_t count);

/* Whether a call's keys or values lie so that items with many panels copy them: by type, in short pages, or apart. */
int32_t fv_stage_copies(const fovea_plan *plan, const fovea_attention_args *args);

/* The head with keys and values in [keys.begin, keys.end) as f32: copied to the scratch where they are of another type,
 * or where that pays for `users` panels. */
fv_head fv_stage(const fv_head *head, fv_key_range keys, int32_t users, const fv_scratch *scratch);

/* The head with keys in bf16, in place or copied as above, and values in pairs: a row of them is that of the pair
 * family's key_step keys, of which keys.begin is a multiple; keys that no row of the sequence sees count as zeros. */
fv_head fv_stage_pairs(const fv_head *head, fv_key_range keys, int32_t users, const fv_scratch *scratch);

/* The same as fv_stage for the keys alone: the values stay where they are. */
fv_head fv_stage_keys(const fv_head *head, fv_key_range keys, int32_t users, const fv_scratch *scratch);

#endif
