/* What a panel has summed: o and l hold the last blocks, the totals those before them. */
#ifndef FOVEA_SRC_PANEL_SUMS_H
#define FOVEA_SRC_PANEL_SUMS_H

#include "src/panel.h"

/* After a block: where o and l hold as many blocks as they may and keys are left, adds them to the totals; the next
 * block begins new sums. */
void fv_sums_limit(const fv_head *head, fv_panel *panel);

/* After the last block: adds the totals to o and l. */
void fv_sums_complete(const fv_head *head, fv_panel *panel);

/* Multiplies all that was summed by the factor of each lane. */
void fv_sums_rescale(const fv_head *head, const fv_panel *panel, const float *factor);

#endif
