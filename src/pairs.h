/* The steps of a panel that the pair family does (arch/kernel.h): panels whose dot products go through bf16
 * instructions. Scores before they are probabilities, and everything else, are the panel family's (panel.h).
 *
 * Pairs of keys are counted from the multiple of the family's key_step before a panel's first one; keys before that
 * one no lane sees. A panel that is computed again in the safe way leaves the pairs, and is widened to f32 for it. */
#ifndef FOVEA_SRC_PAIRS_H
#define FOVEA_SRC_PAIRS_H

#include "src/mask.h"
#include "src/panel.h"

/* Keys whose probabilities are summed one after the other, as FV_SUMMED_KEYS of the panel family: whole register
 * tiles of every shape. Sums of a block. */
#define FV_PAIR_SUMMED_KEYS 48
#define FV_PAIR_SUMS (FV_MAX_BLOCK / FV_PAIR_SUMMED_KEYS + 1)

static inline int32_t fv_uses_pairs(const fv_head *head, const fv_panel *panel) {
    return head->plan->pair != NULL && !panel->safe;
}

/* Packs the queries, rounded to bf16 where they are of another type. */
void fv_pairs_pack(const fv_head *head, const fv_panel *panel, const fv_scratch *scratch);

/* Scores of a segment of a block to scratch->s. start and peak are those of the panel's first lane; peak may be NULL.
 */
void fv_pairs_score(const fv_head *head, const fv_panel *panel, const fv_scratch *scratch, int64_t block_begin,
                    const fv_segment *segment, const float *start, float *peak);

/* Their probabilities to scratch->p, and the sums of these added to scratch->sum. */
void fv_pairs_score_exp(const fv_head *head, const fv_panel *panel, const fv_scratch *scratch, int64_t block_begin,
                        const fv_segment *segment, const float *start, float *peak);

/* Begins the sums of a block, or of a block that is taken once more. */
void fv_pairs_begin_sums(const fv_panel *panel, const fv_scratch *scratch);

/* The scores of a segment, minus shift, to probabilities as above. */
void fv_pairs_exponentiate(const fv_head *head, const fv_panel *panel, const fv_scratch *scratch,
                           const fv_segment *segment, const float *shift);

/* Adds the block's values and sums to the panel's. */
void fv_pairs_weigh(const fv_head *head, const fv_panel *panel, const fv_scratch *scratch, int64_t block_begin,
                    const fv_visible *visible);

#endif
