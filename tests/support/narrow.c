#include "narrow.h"

#include <math.h>
#include <stddef.h>

const narrow_type narrow_f16 = {"f16", 10, 15}, narrow_bf16 = {"bf16", 7, 127};

const narrow_type *narrow_of(fovea_type type) {
    return type == FOVEA_F16 ? &narrow_f16 : type == FOVEA_BF16 ? &narrow_bf16 : NULL;
}

uint16_t narrow_infinity(const narrow_type *type) {
    return (uint16_t)(((1 << (15 - type->fraction_bits)) - 1) << type->fraction_bits);
}

uint16_t narrow_quiet_bit(const narrow_type *type) {
    return (uint16_t)(1 << (type->fraction_bits - 1));
}

/* For infinity's code: the power of two that would come next. */
static double magnitude_of(const narrow_type *type, uint16_t code) {
    const int32_t exponent = code >> type->fraction_bits, one = 1 << type->fraction_bits;
    const int32_t fraction = code & (one - 1);
    const int32_t last_place = 1 - type->exponent_bias - type->fraction_bits;
    return exponent == 0 ? ldexp(fraction, last_place) : ldexp(one + fraction, exponent - 1 + last_place);
}

double narrow_value(const narrow_type *type, uint16_t code) {
    const uint16_t magnitude = code & (uint16_t)~NARROW_SIGN, infinity = narrow_infinity(type);
    const double value = magnitude > infinity    ? (double)NAN
                         : magnitude == infinity ? (double)INFINITY
                                                 : magnitude_of(type, magnitude);
    return code & NARROW_SIGN ? -value : value;
}

double narrow_beyond(const narrow_type *type) {
    return magnitude_of(type, narrow_infinity(type));
}

uint16_t narrow_nearest(const narrow_type *type, double x) {
    const uint16_t sign = signbit(x) ? NARROW_SIGN : 0, infinity = narrow_infinity(type);
    const double magnitude = fabs(x);
    if (isnan(x)) {
        return (uint16_t)(sign | infinity | narrow_quiet_bit(type));
    }
    if (magnitude >= narrow_beyond(type)) {
        return sign | infinity;
    }
    /* Counted in units of the last place, which subnormal numbers share with the smallest normal ones. Where the count
     * rounds up to the next power of two, it carries into the exponent. */
    const int32_t least = 1 - type->exponent_bias;
    const int32_t exponent = magnitude < ldexp(1, least) ? least : ilogb(magnitude);
    const double places = rint(ldexp(magnitude, type->fraction_bits - exponent));
    return (uint16_t)(sign | (((exponent - least) << type->fraction_bits) + (int32_t)places));
}
