/* Runs of keys that masks and biases of -inf forbid altogether, or that a mask allows altogether: what need not be
 * computed, and what need not be masked.
 *
 * A run is FV_RUN_KEYS keys from a multiple of that number on. The values of mask and bias alone decide, so the same
 * problem is always cut in the same way. */
#ifndef FOVEA_SRC_CLASSES_H
#define FOVEA_SRC_CLASSES_H

#include "src/call.h"

enum { FV_RUN_KEYS = 32, FV_RUNS = 64 };

/* Of FV_RUNS runs, one bit each, for every vector of a panel. */
typedef struct fv_classes {
    int64_t first_run;
    /* Some lane may see some key of the run, as far as masks and biases say. */
    uint64_t some[FV_MAX_VECTORS];
    /* All lanes may see all of them, and there is nothing to add. */
    uint64_t all[FV_MAX_VECTORS];
} fv_classes;

/* Looks at the runs from first_run on, as far as they hold any of `keys`, for `lanes` lanes from first_lane on. */
void fv_classify(const fv_head *head, int64_t first_lane, int32_t lanes, fv_key_range keys, int64_t first_run,
                 fv_classes *classes);

/* Non-zero if the classes hold the runs of these keys, of which there is one. */
static inline int32_t fv_has_classes(const fv_classes *classes, fv_key_range keys) {
    return keys.begin / FV_RUN_KEYS >= classes->first_run &&
           (keys.end - 1) / FV_RUN_KEYS < classes->first_run + FV_RUNS;
}

static inline int32_t fv_class_bit(const uint64_t *vectors, int32_t vector, int64_t run) {
    return (int32_t)(vectors[vector] >> run & 1);
}

#endif
