/* One batch entry as the computation sees it: its own lengths and its diagonal. */
#ifndef FOVEA_SRC_SEQUENCE_H
#define FOVEA_SRC_SEQUENCE_H

#include <stdint.h>

#include "fovea/attention.h"

/* Stands for "unbounded"; offsets and windows are cut at half of it, so that neither cancels it and sums never
 * overflow. */
#define FV_FAR (INT64_C(1) << 61)

typedef struct fv_sequence {
    int64_t len_q;
    /* Valid keys are [first_key, end_key). */
    int64_t first_key;
    int64_t end_key;
    /* The diagonal: delta(i) = i + offset. */
    int64_t offset;
    /* Where its first row is, in the axes of batch entries and of rows: of the tensors of queries and results, and of
     * keys and values (paged form: both 0, for the block table says where). */
    int64_t batch_q;
    int64_t row_q;
    int64_t batch_kv;
    int64_t row_kv;
    /* Where the partial results of its first key/value head begin, in floats, if its keys are split. */
    int64_t partials;
} fv_sequence;

/* Which keys a query row may see because of causality and windows: delta + before <= key <= delta + after. */
typedef struct fv_band {
    int64_t before;
    int64_t after;
} fv_band;

typedef struct fv_key_range {
    int64_t begin;
    int64_t end;
} fv_key_range;

fv_band fv_band_of(const fovea_attention_desc *desc);

/* Batch entry b of a call whose arguments were validated. */
fv_sequence fv_sequence_at(const fovea_attention_desc *desc, const fovea_attention_args *args, int64_t b);

/* The keys that some query row in [row_begin, row_end) may see; empty ranges have begin == end. */
fv_key_range fv_visible_keys(const fv_sequence *sequence, fv_band band, int64_t row_begin, int64_t row_end);

#endif
