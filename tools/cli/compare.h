/* Comparing a result with a reference. */
#ifndef FOVEA_CLI_COMPARE_H
#define FOVEA_CLI_COMPARE_H

#include <stdbool.h>
#include <stdint.h>

#include "npy.h"
#include "status.h"

typedef struct comparison {
    /* Largest absolute difference: infinite where only one side is NaN or infinite, 0 where both are alike. */
    double max;
    /* Where it is first found, as an index into the array in C order. */
    int64_t at;
} comparison;

/* Loads a reference for an array of this shape, which messages call `name`. */
cli_status compare_load(const char *path, const char *name, const npy_header *shape, npy_array *reference);

comparison compare_arrays(const float *a, const float *b, int64_t count);

/* Says on stdout how large the difference is, and where, if it is too large. */
void compare_print(const comparison *c, const char *name, const npy_array *array, const char *reference_name,
                   const npy_array *reference, double tolerance);

#endif
