/* Rows from one place and stored type to another, of any length, a piece at a time, turned on the way. */
#ifndef FOVEA_SRC_COPY_H
#define FOVEA_SRC_COPY_H

#include <stdint.h>

#include "arch/kernel.h"
#include "src/rotation.h"

typedef struct fv_row_copy {
    const fv_backend *backend;
    /* `count` elements, not int8. */
    fovea_type from_type;
    const void *from;
    int64_t count;
    /* The same row, or memory apart from it. */
    fovea_type to_type;
    void *to;
    /* int8 only: where the row's scale goes. */
    float *scale;
    /* The rotation of the row's token; NULL: none. */
    fv_rotor *rotor;
} fv_row_copy;

/* Copies a row: as bits where type and value stay, else rounded once; to int8 as fovea/cache.h defines it. */
void fv_copy_row(const fv_row_copy *copy);

#endif
