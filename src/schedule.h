/* The order of few items: threads that have two or three unequal ones each end together only if large and small ones
 * are matched, which the descending order does not do.
 *
 * Method: MULTIFIT (Coffman, Garey and Johnson, "An application of bin-packing to multiprocessor scheduling", 1978).
 * What it finds is given as an order, by when items begin: threads that take items in this order end no later than
 * planned, and one that is held up leaves its items to the others. */
#ifndef FOVEA_SRC_SCHEDULE_H
#define FOVEA_SRC_SCHEDULE_H

#include <stdint.h>

#include "src/partition.h"

/* Most items and threads that are scheduled. */
enum { FV_MOST_SCHEDULED_ITEMS = 2048, FV_MOST_SCHEDULED_THREADS = 1024 };

/* Writes to `order`, which has room for as many as there are items, the indices of items in the order in which to take
 * them; item i is of entry i / heads_kv, and entries come by descending cost. `makespan` is when the last thread ends
 * without this. Returns 0, with nothing in `order`, if no better way was found. */
int32_t fv_schedule(const fv_worklist *list, int64_t heads_kv, int32_t threads, double makespan, uint16_t *order);

#endif
