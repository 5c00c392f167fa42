/* Where an item's results go: straight to the output, or to the partial results of its split. */
#ifndef FOVEA_SRC_PARTIAL_H
#define FOVEA_SRC_PARTIAL_H

#include "src/call.h"

/* Finds the rows for the outputs (already divided by their sums) of `lanes` lanes from first_lane on: f32 those of a
 * split. */
void fv_find_output(const fv_call *call, const fv_head *head, const fv_work *work, int64_t first_lane, int32_t lanes,
                    fv_output *output);

/* Takes the references and sums of the lanes: stored with the split's partial results, or written as log-sum-exp where
 * the caller wants it. */
void fv_output_sums(const fv_call *call, const fv_head *head, const fv_work *work, int64_t first_lane, int32_t lanes,
                    const float *m, const float *l);

/* Marks every split of the call as pending. */
void fv_partials_begin(const fv_call *call);

/* Called when an item of a split is complete: whoever completes the last split merges them, in the order of splits. The
 * item's outputs in the scratch are overwritten. */
void fv_partials_complete(const fv_call *call, fv_item item, const fv_scratch *scratch);

#endif
