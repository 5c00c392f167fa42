/* The mean of the probabilities over the query heads: a pass behind all items, which adds up the heads in their order,
 * whoever computed their sums. */
#ifndef FOVEA_SRC_MEAN_WEIGHTS_H
#define FOVEA_SRC_MEAN_WEIGHTS_H

#include "src/call.h"

/* Independent parts of the output: some rows of a batch entry and some keys. */
int64_t fv_mean_weights_items(const fv_call *call);

/* Computes one. The sums of all rows are in the workspace. */
void fv_mean_weights_item(const fv_call *call, int64_t index, const fv_scratch *scratch);

#endif
