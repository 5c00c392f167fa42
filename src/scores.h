/* Scores of a panel against a block of keys, step by step as they are defined: dot products, softcap, ALiBi, bias and
 * masks, and what causality, windows and lengths forbid. */
#ifndef FOVEA_SRC_SCORES_H
#define FOVEA_SRC_SCORES_H

#include "src/panel.h"

/* Where the scores of a segment of the block are in s. */
float *fv_segment_scores(const fv_head *head, const fv_panel *panel, float *s, const fv_segment *segment);

/* Dot products of a segment of the block that begins at block_begin, for the vectors of the segment, to scratch->s;
 * accumulators begin at start (NULL: 0). With `exp` the plan's exponentials of them. peak is raised to them, or NULL.
 * Both are of the panel's first lane. */
void fv_score_segment(const fv_head *head, const fv_panel *panel, const fv_scratch *scratch, int64_t block_begin,
                      const fv_segment *segment, const float *start, float *peak, int32_t exp);

/* Forbids what the lanes of a partly visible segment do not see. */
void fv_mask_segment(const fv_head *head, const fv_panel *panel, const fv_scratch *scratch, const fv_visible *visible,
                     const fv_segment *segment, float *peak);

/* Scores of the visible segments of the block that begins at key_begin, with terms and masks, to scratch->s, in log2
 * units: -inf where forbidden. The keys are f32. peak, of the panel's first lane, is raised to them, or NULL. */
void fv_panel_scores(const fv_head *head, const fv_panel *panel, const fv_scratch *scratch, int64_t key_begin,
                     const fv_visible *visible, float *peak);

#endif
