/* The numbers that a narrow floating-point type has, from the definition of its bits: shares nothing with the library's
 * conversions. */
#ifndef FOVEA_TESTS_NARROW_H
#define FOVEA_TESTS_NARROW_H

#include <stdint.h>

#include "fovea/types.h"

/* A 16-bit type: a sign, an exponent, and `fraction_bits`. */
typedef struct narrow_type {
    const char *name;
    int32_t fraction_bits;
    int32_t exponent_bias;
} narrow_type;

extern const narrow_type narrow_f16, narrow_bf16;

enum { NARROW_CODES = 65536, NARROW_SIGN = 0x8000 };

/* NULL for types of other sizes. */
const narrow_type *narrow_of(fovea_type type);

/* The code of +infinity: codes above are NaN, those below are in the order of their values. */
uint16_t narrow_infinity(const narrow_type *type);

/* The bit of a NaN that makes it quiet. */
uint16_t narrow_quiet_bit(const narrow_type *type);

/* What a code stands for. */
double narrow_value(const narrow_type *type, uint16_t code);

/* The power of two that would come after the largest number. */
double narrow_beyond(const narrow_type *type);

/* The code nearest to x, the even one between two; for NaN a quiet one without payload. */
uint16_t narrow_nearest(const narrow_type *type, double x);

#endif
