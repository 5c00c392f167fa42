/* Layout of the memory of one call: shared tables, partial results of split keys, and scratch for each worker. */
#ifndef FOVEA_SRC_WORKSPACE_H
#define FOVEA_SRC_WORKSPACE_H

#include <stdatomic.h>
#include <stddef.h>

#include "src/class_bits.h"
#include "src/plan.h"

/* Partial results of sequences whose keys are split. For each (batch entry, key/value head): references m and sums l
 * [lane][split], then outputs [split][lane][head_dim_v], divided by their sum. Those of a batch entry begin at its
 * fv_sequence.partials. */
typedef struct fv_partials {
    /* NULL: no sequence can have any. */
    float *base;
    /* Splits that are still being computed, one counter a (batch entry, key/value head). */
    _Atomic int32_t *pending;
} fv_partials;

/* Scratch of one worker; every pointer is aligned to FV_ALIGNMENT. */
typedef struct fv_scratch {
    /* Packed queries and outputs of an item, references and sums of its lanes. */
    float *q;
    float *o;
    float *m;
    float *l;
    /* Totals of outputs and sums of an item's panels (panel.h); undefined for few query rows. */
    float *o_total;
    float *l_total;
    /* Scores of a panel against a block, or of rows against a run. */
    float *s;
    /* Rows of keys, one a lane: of bias and mask where they cannot be read in place; terms of rows; weights on their
     * way to the mean over heads. */
    float *term_rows;
    uint8_t *mask_rows;
    /* Probabilities of a panel as pairs, and their sums over groups of keys (pairs.h). */
    float *p;
    float *sum;
    /* Copies of the keys and values of a block (stage.h). */
    float *k;
    float *v;
} fv_scratch;

/* Final references and sums of consecutive lanes. */
typedef struct fv_sums {
    float *m;
    float *l;
} fv_sums;

typedef struct fv_workspace {
    fv_sequence *sequences;
    fv_work *work;
    int64_t work_capacity;
    uint16_t *order;
    fv_partials partials;
    /* Classes of runs of keys, of class_windows windows for each of the class_panels panels of each batch entry. NULL
     * where panels look for themselves. */
    fv_classes *classes;
    int64_t class_panels;
    int64_t class_windows;
    /* References, then sums, of every row: (batch entry, key/value head, lane). NULL unless a later pass needs them. */
    float *sums;
    int64_t sums_lanes;
    /* Scratch of worker w begins at scratch + w * scratch_stride; `workers` of them fit. */
    char *scratch;
    size_t scratch_stride;
    int32_t workers;
} fv_workspace;

/* Bytes for a call of these lengths with so many workers, from memory of any alignment. */
size_t fv_workspace_size(const fovea_plan *plan, int64_t len_q, int64_t len_kv, int32_t workers);

/* Bytes for any call within the plan's capacity. */
size_t fv_workspace_capacity(const fovea_plan *plan, int32_t workers);

/* Lays the workspace out in `memory`; workspace->workers is `workers` or as many as fit; 0: not even one does. */
void fv_workspace_layout(const fovea_plan *plan, int64_t len_q, int64_t len_kv, int32_t workers, void *memory,
                         size_t size, fv_workspace *workspace);

/* The scratch of a worker, laid out for a sequence of len_q rows. */
fv_scratch fv_scratch_of(const fovea_plan *plan, const fv_workspace *workspace, int64_t len_q, int32_t worker);

/* Floats of the partial results of a key/value head, of so many lanes and splits. */
int64_t fv_partial_floats(const fovea_plan *plan, int64_t lanes, int64_t splits);

/* Distance in floats between the rows of a few-row problem in scratch: rows stay aligned. */
int64_t fv_row_stride(int64_t count);

#endif
