/* A panel of query lanes on its way through the keys: online softmax, one block of keys at a time.
 *
 * Three ways to take a block, all with the same result to tolerance:
 *
 *   relative   Scores come out of the kernel already relative to the reference m, because its accumulators start at -m.
 * m is set by the first tile of keys and is changed only when a score exceeds it by HEADROOM; then the block is
 * computed once more. Cheapest; needs scores without terms. two-pass   Scores are stored, terms and masks applied, the
 * maximum becomes the reference, exponentials follow. safe       Two-pass, with probabilities scaled by 2^-ceil(log2
 * keys), so that no sum exceeds its largest value, with queries scaled so that none overflows, and with forbidden
 * positions left out of the products, not multiplied by 0.
 *
 * Plans with a pair family do the products of the first two by pairs (pairs.h); the safe way is in f32.
 *
 * A panel whose result is not finite is computed again in the safe way: the cause may have been an overflow, or a NaN
 * in a value that one of its lanes must not see. */
#ifndef FOVEA_SRC_PANEL_H
#define FOVEA_SRC_PANEL_H

#include "src/mask.h"

typedef struct fv_panel {
    int64_t first_lane;
    /* Lanes that stand for query rows, lanes with padding, vectors. */
    int32_t lanes;
    int32_t ld;
    int32_t vectors;
    /* Keys that some lane sees, and the first that has not been taken. */
    fv_key_range keys;
    int64_t next_key;
    /* Packed queries, output, references and sums. o and l are undefined until the first block was taken (started), and
     * after they were added to the totals. */
    float *q;
    float *o;
    float *m;
    float *l;
    /* What masks and biases make of the keys that come next, unless the head knows: two neighbouring windows of runs.
     */
    fv_classes classes[2];
    int32_t started;
    /* Sums of the blocks before those in o and l, which hold `summed` blocks: the rounding errors of one sum over all
     * blocks of a long sequence would add up. */
    float *o_total;
    float *l_total;
    int32_t summed;
    int32_t has_totals;
    int32_t safe;
    /* Its result may be wrong though it looks sound: compute it again in the safe way. */
    int32_t suspect;
} fv_panel;

/* Prepares a panel for its first block: packs the queries. The pointers and sizes are set. */
void fv_panel_begin(const fv_head *head, fv_panel *panel, const fv_scratch *scratch);

/* End of the panel's block that begins at next_key: blocks end at multiples of the backend's block size, and a short
 * rest joins the block before it. Depends on the panel alone. */
int64_t fv_panel_block_end(const fv_head *head, const fv_panel *panel);

/* Whether masks and biases leave any of the next block to be seen; fv_panel_skip_block passes over it. */
int32_t fv_panel_needs_block(const fv_head *head, fv_panel *panel);
void fv_panel_skip_block(const fv_head *head, fv_panel *panel);

/* Takes the next block, whose keys and values are staged as the plan's kernels read them (stage.h). */
void fv_panel_take_block(const fv_head *head, fv_panel *panel, const fv_scratch *scratch);

/* After the last block: writes o / l to the output, rounded once. The panel is computed again if need be; afterwards m
 * and l are defined for every lane, l being 0 for lanes without a key. */
void fv_panel_finish(const fv_head *head, fv_panel *panel, const fv_scratch *scratch, const fv_output *output);

/* The factor of each lane, padding included, that divides it by its sum. */
void fv_panel_sum_factors(const fv_panel *panel, float *factor);

#endif
