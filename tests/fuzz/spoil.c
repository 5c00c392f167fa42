#include "spoil.h"

#include <check.h>
#include <float.h>
#include <stdlib.h>
#include <string.h>

#include "fovea/fovea.h"

/* Of four or eight bytes: a size, a stride, a flag, an enum or a float, or its end, or none. */
static uint64_t any_number(test_random *random) {
    static const float reals[] = {-1, FLT_MAX, FLT_MIN, FLT_TRUE_MIN, 0x1p-100f};
    uint32_t real;
    memcpy(&real, &reals[random_between(random, 0, 4)], sizeof real);
    const int64_t shift = random_between(random, 0, 63), small = random_between(random, -3, 300);
    return (uint64_t)RANDOM_OF(random, small, small, INT64_MAX, INT64_MIN, (int64_t)(UINT64_C(1) << shift),
                               (int64_t)((UINT64_C(1) << shift) + (uint64_t)small), INT32_MAX, INT32_MIN,
                               INT32_MAX + INT64_C(1), 0x7f800000, 0x7fc00000, real, (int64_t)random_bits(random));
}

/* Writes to some place where a field of the struct may be, mostly within it. */
static void spoil_field(unsigned char *bytes, size_t size, test_random *random) {
    enum { WIDE = 8, BEHIND = 16 };
    const size_t reach = (size + (random_chance(random, 0.1) ? BEHIND : 0)) / WIDE;
    const size_t at = WIDE * (size_t)random_between(random, 0, (int64_t)reach - 1);
    const uint64_t value = any_number(random);
    switch (random_between(random, 0, 2)) {
    case 0:
        memcpy(bytes + at, &value, WIDE);
        break;
    case 1:
        memcpy(bytes + at, &value, WIDE / 2);
        break;
    default:
        memcpy(bytes + at + WIDE / 2, &value, WIDE / 2);
        break;
    }
}

void *spoil_copy(const void *object, size_t size, test_random *random) {
    /* More than any struct_size that the library believes; and most fields to spoil. */
    enum { ROOM = 8192, MOST = 4 };
    unsigned char *copy = calloc(1, ROOM);
    ck_assert_ptr_nonnull(copy);
    memcpy(copy, object, size);
    for (int64_t edits = random_between(random, 0, MOST); edits > 0; edits--) {
        spoil_field(copy, size, random);
    }
    return copy;
}

fovea_rotation *spoil_rotation(const fovea_rotation *before, test_random *random) {
    fovea_rotation *now = spoil_copy(before, sizeof *before, random);
    SPOIL_KEEP(now, before, inverse_frequencies);
    SPOIL_KEEP(now, before, cosines);
    SPOIL_KEEP(now, before, sines);
    SPOIL_KEEP(now, before, positions);
    SPOIL_KEEP(now, before, position_strides);
    SPOIL_KEEP_WITHIN(now, before, type_positions);
    /* There are frequencies for as many pairs only. */
    if (before->inverse_frequencies && now->rotary_dim >= 0) {
        SPOIL_KEEP(now, before, rotary_dim);
    }
    return now;
}

void spoil_expect_reason(fovea_status status) {
    ck_assert_int_ne(status, FOVEA_OK);
    ck_assert_str_ne(fovea_last_reason(), "");
    ck_assert_str_ne(fovea_status_string(status), "unknown status");
}
