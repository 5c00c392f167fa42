/* The attention weights output: a second pass over the keys, once the reference and the sum of a row are final.
 *
 * Probabilities are the scores of the first pass once more, divided by the sums. Scores are shown in natural units and
 * before as much of their making as was asked for: the same computation under a plan of its own. The mean over heads
 * has a pass of its own behind all items (mean_weights.h). */
#ifndef FOVEA_SRC_WEIGHTS_H
#define FOVEA_SRC_WEIGHTS_H

#include "src/panel.h"

/* A head as the output shows it. */
typedef struct fv_shown {
    fovea_plan plan;
    fv_sequence sequence;
    fv_head head;
    /* Probabilities, or scores as they are. */
    int32_t is_probability;
    /* What is written where nothing is computed. */
    float outside;
} fv_shown;

/* What the descriptor's weights show of a head. `shown` points to itself: it may not be moved. */
void fv_show(const fv_head *head, fv_shown *shown);

/* The keys whose weights are computed for some of the lanes. */
fv_key_range fv_shown_keys(const fv_shown *shown, int64_t first_lane, int64_t lanes);

/* Writes the weights rows of a finished panel, whose queries are overwritten. */
void fv_panel_weights(const fv_head *head, const fv_panel *panel, const fv_scratch *scratch);

/* The factors that make probabilities of the exponentials of a panel's lanes, and whether all are ordinary numbers. */
typedef struct fv_shares {
    float factor[FV_MAX_LANES] __attribute__((aligned(FV_ALIGNMENT)));
    int32_t ordinary;
} fv_shares;

void fv_panel_shares(const fv_panel *panel, fv_shares *shares);

/* The weights of keys [key, key + keys) into rows[lane][0 ... keys-1], rows of f32. */
void fv_panel_weights_of_keys(const fv_shown *shown, const fv_panel *panel, const fv_scratch *scratch, int64_t key,
                              int32_t keys, const fv_shares *shares, void *const *rows);

/* Row of weights of one lane: a pointer to its len_kv elements. */
float *fv_weights_row(const fv_head *head, int64_t lane);

/* Writes what is shown outside `keys` to a row. */
void fv_weights_fill_outside(const fv_shown *shown, float *row, fv_key_range keys);

#endif
