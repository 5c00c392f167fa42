/* Dividing a call into work items: a pure function of the problem and the number of threads.
 *
 * The lanes of one (batch entry, key/value head) are its (query row, head of the group) pairs, row-major: lane = row *
 * group
 * + head. Lanes are cut into panels; panel boundaries, and the boundaries at which keys are split, follow from the
 * sequence alone. What depends on the number of threads is only how many neighbouring panels make one item, and the
 * order of items, neither of which changes any result. */
#ifndef FOVEA_SRC_PARTITION_H
#define FOVEA_SRC_PARTITION_H

#include <stdint.h>

#include "src/sequence.h"

/* What the partition needs to know of a plan. */
typedef struct fv_geometry {
    int64_t batch;
    int64_t heads_kv;
    /* Query heads per key/value head. */
    int64_t group;
    /* Non-zero: lengths given for queries, for keys are those of all sequences together (packed forms). */
    int32_t packed_q;
    int32_t packed_kv;
    fv_band band;
    /* Lanes of a full panel; sequences of at most `row_lanes` lanes are computed row by row, as one panel. */
    int32_t panel_lanes;
    int32_t row_lanes;
    /* Most panels of an item, and of one whose keys and values are copied, which is no less. */
    int32_t item_panels;
    int32_t copying_item_panels;
    /* The least keys of a split; the most panels of a sequence whose keys are split (0: never); and the most splits
     * times panels of a sequence, which bounds the memory of partial results whatever the length. */
    int64_t split_keys;
    int32_t split_panels;
    int32_t split_limit;
} fv_geometry;

/* A work entry stands for heads_kv items, one a key/value head. */
typedef struct fv_work {
    int64_t batch;
    int64_t panel_begin;
    int64_t panel_end;
    /* Index of the split of the keys: its keys are [split, split + 1) * fv_split_keys(); -1: all keys. */
    int64_t split;
    /* Estimated cost of one item, in lane-keys. */
    double cost;
} fv_work;

/* The entries of a call, in the order in which threads should take them. */
typedef struct fv_worklist {
    fv_work *entries;
    int64_t count;
    /* If items are not taken in the order of their entries: their indices in the order in which they are. */
    uint16_t *order;
    int32_t is_ordered;
    /* Entries of one batch entry if it is the same for all of them and they lie in order, so that items can go head by
     * head; else 0. */
    int64_t per_batch_entry;
} fv_worklist;

/* One item: an entry and a key/value head. */
typedef struct fv_item {
    const fv_work *work;
    int64_t head_kv;
} fv_item;

/* Panels of a sequence. */
int64_t fv_panels(const fv_geometry *geometry, int64_t len_q);

/* Keys of a split of a sequence with so many panels and keys: a power of two times the least, growing with the length.
 */
int64_t fv_split_keys(const fv_geometry *geometry, int64_t panels, int64_t keys);

/* The most splits of any sequence with so many panels and at most len_kv keys. Shorter ones may have more than this
 * one. */
int64_t fv_most_splits(const fv_geometry *geometry, int64_t panels, int64_t len_kv);

/* The splits of a sequence's keys that hold visible keys, as [begin, end) of split indices; {-1, 0} if its keys are not
 * split. */
fv_key_range fv_splits(const fv_geometry *geometry, const fv_sequence *sequence);

/* The part of `keys` that lies in a split (-1: all of it). */
fv_key_range fv_keys_of_split(const fv_geometry *geometry, const fv_sequence *sequence, int64_t split,
                              fv_key_range keys);

/* Room for entries, of which each half holds `count`, that fv_partition may need for sequences of up to these lengths.
 */
int64_t fv_partition_capacity(const fv_geometry *geometry, int64_t len_q, int64_t len_kv);

/* Elements of an order of so many entries. */
int64_t fv_order_capacity(const fv_geometry *geometry, int64_t entries);

/* The most rows of partial results, lanes times splits over all sequences, that one key/value head may need for
 * sequences of exactly len_q rows (packed: of so many rows together) and up to len_kv keys. */
int64_t fv_partial_rows(const fv_geometry *geometry, int64_t len_q, int64_t len_kv);

/* Fills list->entries, which has room for 2 * `capacity` entries, and perhaps list->order, which has room for
 * fv_order_capacity(capacity) elements. sequences has geometry->batch elements; `copying`: items copy keys and values.
 */
void fv_partition(const fv_geometry *geometry, const fv_sequence *sequences, int32_t copying, int32_t threads,
                  int64_t capacity, fv_worklist *list);

int64_t fv_item_count(const fv_geometry *geometry, const fv_worklist *list);

fv_item fv_item_at(const fv_geometry *geometry, const fv_worklist *list, int64_t index);

#endif
