/* What kernels may ask the cache for before it is needed (fv_ahead in arch/kernel.h).
 *
 * A core follows a stream of keys and values by itself once it has begun. What it does not foresee is where a stream
 * begins: at the next item's queries, keys and values, and at the rows of results, which are written once. For short
 * sequences these are most of the memory that a call touches. */
#ifndef FOVEA_SRC_AHEAD_H
#define FOVEA_SRC_AHEAD_H

#include "src/call.h"

/* Adds the keys and values of `keys`, `at_once` rows of each. */
void fv_ahead_keys(const fv_head *head, fv_key_range keys, int64_t at_once, fv_ahead *ahead);

/* The keys and values of `keys`, line by line; of none: nothing. */
fv_lines_ahead fv_ahead_lines(const fv_head *head, fv_key_range keys);

/* Adds the result rows of an item, spread over the `tiles` >= 1 tiles that are left of it. */
void fv_ahead_results(const fv_head *head, const fv_work *work, int64_t tiles, fv_ahead *ahead);

/* Adds the queries of an item, spread in the same way. */
void fv_ahead_queries(const fv_head *head, const fv_work *work, int64_t tiles, fv_ahead *ahead);

#endif
