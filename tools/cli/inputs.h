/* Loading .npy files for a purpose: the path is named in every message. */
#ifndef FOVEA_CLI_INPUTS_H
#define FOVEA_CLI_INPUTS_H

#include "npy.h"
#include "status.h"

/* Loads an array of one of the types in `accepted`, a set of 1 << NPY_* bits. */
cli_status input_load(const char *path, unsigned accepted, npy_array *array);

/* Loads `count` integers, int32 or int64 in the file, int64 in memory. */
cli_status input_load_indices(const char *path, int64_t count, npy_array *array);

#endif
