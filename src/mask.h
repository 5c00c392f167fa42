/* Which keys of a block the lanes of a panel may see because of causality, windows and lengths, and of what masks and
 * biases allow altogether or not at all. */
#ifndef FOVEA_SRC_MASK_H
#define FOVEA_SRC_MASK_H

#include "src/classes.h"

/* At most one segment between any two of the begins and ends of the vectors, of the part that all lanes see, and of
 * runs. */
#define FV_MAX_SEGMENTS (2 * FV_MAX_VECTORS + 1 + FV_MAX_BLOCK / FV_RUN_KEYS + 1)

/* Visibility of a block of keys, relative to its first key. */
typedef struct fv_visible {
    /* Keys [full_begin, full_end) are seen by every lane; a whole number of register tiles, perhaps none. */
    int32_t full_begin;
    int32_t full_end;
    /* Runs of keys with the vectors that see any of them, ascending; the full part is a run of its own. */
    fv_segment segments[FV_MAX_SEGMENTS];
    int32_t segment_count;
    /* Whether masks or biases have a say in a segment. */
    int32_t has_terms[FV_MAX_SEGMENTS];
    /* Lane sees keys [begin, end). Not filled in if every lane sees the whole block (all_full). */
    int32_t all_full;
    int32_t begin[FV_MAX_LANES];
    int32_t end[FV_MAX_LANES];
} fv_visible;

/* Non-zero if the segment is the one that every lane sees. */
static inline int32_t fv_is_full(const fv_visible *visible, const fv_segment *segment) {
    return segment->key_begin >= visible->full_begin && segment->key_end <= visible->full_end;
}

/* Keys [key_begin, key_begin + keys) against `lanes` lanes from first_lane on, padded to `vectors` vectors. */
void fv_see_block(const fv_head *head, int64_t first_lane, int32_t lanes, int32_t vectors, int64_t key_begin,
                  int32_t keys, fv_visible *visible);

/* Takes out of the segments what the classes, which hold the block's runs, forbid. */
void fv_see_classes(const fv_class_pair *classes, int64_t key_begin, fv_visible *visible);

/* The keys of the block that one lane sees, relative to its first key. */
fv_key_range fv_see_lane(const fv_head *head, int64_t lane, int64_t key_begin, int32_t keys);

#endif
