/* Classes of runs of keys (classes.h), as data. */
#ifndef FOVEA_SRC_CLASS_BITS_H
#define FOVEA_SRC_CLASS_BITS_H

#include "arch/kernel.h"

enum { FV_RUN_KEYS = 32, FV_RUNS = 64 };
_Static_assert(FV_RUN_KEYS % FV_MAX_KEY_STEP == 0, "a run begins where keys can be interleaved");

/* Most bytes of classes that a call keeps. */
enum { FV_MOST_CLASS_BYTES = 1 << 18 };

/* Of FV_RUNS runs, one bit each, for every vector of a panel. */
typedef struct fv_classes {
    int64_t first_run;
    /* Some lane may see some key of the run, as far as masks and biases say. */
    uint64_t some[FV_MAX_VECTORS];
    /* All lanes may see all of them, and there is nothing to add. */
    uint64_t all[FV_MAX_VECTORS];
} fv_classes;

/* Two neighbouring ones, or one twice: what holds the runs of any block. */
typedef struct fv_class_pair {
    const fv_classes *first;
    const fv_classes *second;
} fv_class_pair;

static inline const fv_classes *fv_classes_of_run(const fv_class_pair *pair, int64_t run) {
    return run < pair->second->first_run ? pair->first : pair->second;
}

static inline int32_t fv_class_bit(const uint64_t *vectors, int32_t vector, int64_t run) {
    return (int32_t)(vectors[vector] >> run & 1);
}

#endif
