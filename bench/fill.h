/* Reproducible data. */
#ifndef FOVEA_BENCH_FILL_H
#define FOVEA_BENCH_FILL_H

#include <stddef.h>
#include <stdint.h>

#include "fovea/types.h"

/* Size of an element in bytes. */
size_t bench_type_size(fovea_type type);

/* Fills with numbers of mean 0 and variance 1, so that scaled scores have variance 1 as after a layer norm; int8 gets
 * the whole range, to be scaled by bench_int8_scale. */
void bench_fill(void *to, fovea_type type, size_t count, uint32_t seed);

/* The scale that gives int8 data of bench_fill variance 1. */
extern const float bench_int8_scale;

/* Fills with ones and zeros, one zero among eight. */
void bench_fill_mask(uint8_t *to, size_t count, uint32_t seed);

/* Fills with 0 ... count - 1 in random order. */
void bench_fill_order(int32_t *to, int32_t count, uint32_t seed);

#endif
