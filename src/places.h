/* Where the rows of a run of keys in pages lie, for kernels that read a run from several places at a time. */
#ifndef FOVEA_SRC_PLACES_H
#define FOVEA_SRC_PLACES_H

#include "arch/kernel.h"
#include "src/call.h"

typedef struct fv_places {
    const void *row[FV_MAX_RUN];
    float scale[FV_MAX_RUN];
} fv_places;

/* `count` rows (at most FV_MAX_RUN) of `length` elements from row `key` on, in the order of keys. It points into
 * `places`. */
fv_stored fv_stored_places(const fv_rows *rows, int64_t key, int32_t count, int64_t length, fv_places *places);

/* Asks for the beginning of the first row in each page of keys [begin, end), of rows of `length` elements: from there
 * the hardware prefetcher goes on by itself. Asked for together, before the first is needed, they wait for memory at
 * the same time. */
void fv_ask_for_places(const fv_rows *rows, int64_t begin, int64_t end, int64_t length);

#endif
