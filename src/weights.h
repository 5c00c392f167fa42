/* The attention weights output: a second pass over the keys, once the log-sum-exp of a row is known. */
#ifndef FOVEA_SRC_WEIGHTS_H
#define FOVEA_SRC_WEIGHTS_H

#include "src/panel.h"

/* Writes the weights rows of a finished panel. */
void fv_panel_weights(const fv_head *head, const fv_panel *panel, const fv_scratch *scratch);

/* Row of weights of one lane: a pointer to its len_kv elements. */
float *fv_weights_row(const fv_head *head, int64_t lane);

/* Writes zeros to the row's elements outside `keys`. */
void fv_weights_clear_outside(const fv_head *head, float *row, fv_key_range keys);

#endif
