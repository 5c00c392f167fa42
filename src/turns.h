/* Rows of a run of keys in pages, in the order in which they are read: a few pages in turn, row by row.
 *
 * A page is a short piece of memory, and each piece is slow to begin with, until the hardware prefetcher follows it. So
 * several are read at the same time, and the rows of the next run are asked for through the block table. The order of
 * rows, and so that of sums, follows from the pages alone. */
#ifndef FOVEA_SRC_TURNS_H
#define FOVEA_SRC_TURNS_H

#include "arch/kernel.h"
#include "src/call.h"

/* Keys of a run, at most: four pages of 16 tokens, or more smaller ones. */
enum { FV_TURN_KEYS = 64 };

typedef struct fv_turns {
    int32_t count;
    /* The key of each row, counted from the run's first. */
    int32_t key[FV_TURN_KEYS];
    const void *row[FV_TURN_KEYS];
    const void *ahead[FV_TURN_KEYS];
    float scale[FV_TURN_KEYS];
} fv_turns;

/* Rows of keys [begin, end), at most FV_TURN_KEYS of them; none from `limit` on is read later. */
void fv_take_turns(const fv_rows *rows, int64_t begin, int64_t end, int64_t limit, fv_turns *turns);

/* The same for a row kernel, rows being of `length` elements. It points into `turns`. */
fv_stored fv_stored_turns(const fv_turns *turns, int64_t length);

/* Numbers in the order of rows into the order of keys, and back. */
void fv_turns_to_keys(const fv_turns *turns, const float *by_row, float *by_key);
void fv_keys_to_turns(const fv_turns *turns, const float *by_key, float *by_row);

#endif
