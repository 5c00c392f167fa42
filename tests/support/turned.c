#include "turned.h"

#include <math.h>
#include <string.h>

#include "strided.h"

enum { TABLE_SPARE = 3 };

static void make_positions(kernel_memory *memory, const turned_tokens *tokens, fovea_rotation *rotation) {
    const int64_t count = tokens->outer * tokens->len;
    const bool wide = random_chance(memory->random, 0.5), tables = rotation->cosines != NULL;
    void *positions = take_bytes(memory, count * (wide ? 8 : 4), wide ? 8 : 4);
    test_random contents = test_random_branch(memory->random);
    for (int64_t i = 0; i < count; i++) {
        const int64_t position = tables ? random_between(&contents, 0, rotation->table_rows - 1)
                                        : random_between(&contents, -1000000, 1000000);
        if (wide) {
            ((int64_t *)positions)[i] = position;
        } else {
            ((int32_t *)positions)[i] = (int32_t)position;
        }
    }
    rotation->positions = positions;
    rotation->type_positions = wide ? FOVEA_INDEX_INT64 : FOVEA_INDEX_INT32;
    rotation->position_strides[0] = tokens->len;
    rotation->position_strides[1] = 1;
}

static void make_tables(kernel_memory *memory, int64_t pairs, const turned_tokens *tokens, fovea_rotation *rotation) {
    const bool shared = random_chance(memory->random, 0.5);
    const int64_t batch = shared ? 1 : tokens->batch, rows = tokens->own + TABLE_SPARE, elements = batch * rows * pairs;
    const fovea_type type = (fovea_type)random_between(memory->random, FOVEA_F32, FOVEA_BF16);
    const int64_t bytes = element_bytes(type);
    char *cosines = take_bytes(memory, elements * bytes, (size_t)bytes);
    char *sines = take_bytes(memory, elements * bytes, (size_t)bytes);
    test_random contents = test_random_branch(memory->random);
    for (int64_t i = 0; i < elements; i++) {
        const double angle = (double)random_float(&contents, -7, 7);
        element_store(type, cos(angle), cosines + i * bytes);
        element_store(type, sin(angle), sines + i * bytes);
    }
    rotation->cosines = cosines;
    rotation->sines = sines;
    rotation->type_table = type;
    rotation->table_rows = rows;
    rotation->table_strides[0] = shared ? 0 : rows * pairs;
    rotation->table_strides[1] = pairs;
    rotation->table_strides[2] = 1;
}

static void make_frequencies(kernel_memory *memory, int64_t pairs, fovea_rotation *rotation) {
    double *frequencies = take_bytes(memory, pairs * (int64_t)sizeof *frequencies, sizeof *frequencies);
    test_random contents = test_random_branch(memory->random);
    for (int64_t i = 0; i < pairs; i++) {
        frequencies[i] = (double)random_float(&contents, -1, 1);
    }
    rotation->inverse_frequencies = frequencies;
}

fovea_rotation turned_random(kernel_memory *memory, int64_t head_dim, const turned_tokens *tokens) {
    test_random *random = memory->random;
    fovea_rotation rotation = {.struct_size = sizeof rotation};
    rotation.layout = random_chance(random, 0.5) ? FOVEA_ROPE_INTERLEAVED : FOVEA_ROPE_HALF_SPLIT;
    if (head_dim % 2 != 0 || random_chance(random, 0.5)) {
        rotation.rotary_dim = 2 * random_between(random, 1, head_dim / 2);
    }
    const int64_t pairs = (rotation.rotary_dim > 0 ? rotation.rotary_dim : head_dim) / 2;
    const int64_t kind = random_between(random, 0, 3);
    if (kind == 0) {
        make_tables(memory, pairs, tokens, &rotation);
    } else if (kind == 1) {
        make_frequencies(memory, pairs, &rotation);
    } else if (kind == 2) {
        rotation.base = RANDOM_OF(random, 1, 2, 500000, 1000000);
    }
    if (kind != 0 && random_chance(random, 0.5)) {
        rotation.position_scale = (double)random_float(random, -2, 2);
        rotation.amplitude = (double)random_float(random, 0.5, 1.5);
    }
    if (random_chance(random, 0.5)) {
        make_positions(memory, tokens, &rotation);
    }
    return rotation;
}

int64_t turned_position(const fovea_rotation *rotation, int64_t outer, int64_t row, int64_t own) {
    if (!rotation->positions) {
        return own;
    }
    const int64_t at = outer * rotation->position_strides[0] + row * rotation->position_strides[1];
    return rotation->type_positions == FOVEA_INDEX_INT64 ? ((const int64_t *)rotation->positions)[at]
                                                         : ((const int32_t *)rotation->positions)[at];
}

typedef struct angle {
    double cosine, sine;
    /* How far off both may be. */
    double error;
} angle;

static double table_value(const fovea_rotation *rotation, const void *table, int64_t batch, int64_t position,
                          int64_t pair) {
    const int64_t *strides = rotation->table_strides;
    const int64_t at = batch * strides[0] + position * strides[1] + pair;
    return element_value(rotation->type_table, (const char *)table + at * element_bytes(rotation->type_table));
}

/* How far off an angle may be, relative to it, in double precision. The position, its scale and two products are
 * rounded: four halves of an ulp; and an exponential is off by an ulp. Its exponent, log2 of the frequency, is off by
 * three roundings (a logarithm, a quotient, a product), which it passes on times ln 2. */
static double relative_error(const fovea_rotation *rotation, long double frequency) {
    const double of_given = 8 * 0x1p-53;
    return rotation->inverse_frequencies ? of_given : of_given + 2.5 * fabs((double)log2l(frequency)) * 0x1p-53;
}

static angle angle_of(const fovea_rotation *rotation, int64_t batch, int64_t position, int64_t pair, int64_t pairs) {
    if (rotation->cosines) {
        return (angle){table_value(rotation, rotation->cosines, batch, position, pair),
                       table_value(rotation, rotation->sines, batch, position, pair), 0};
    }
    const long double base = rotation->base != 0 ? rotation->base : 10000;
    const long double frequency = rotation->inverse_frequencies ? (long double)rotation->inverse_frequencies[pair]
                                                                : powl(base, -(long double)pair / (long double)pairs);
    const long double scale = rotation->position_scale != 0 ? rotation->position_scale : 1;
    const long double amplitude = rotation->amplitude != 0 ? rotation->amplitude : 1;
    const long double turned = (long double)position * scale * frequency;
    return (angle){(double)(amplitude * cosl(turned)), (double)(amplitude * sinl(turned)),
                   (double)amplitude * (0x1p-24 + relative_error(rotation, frequency) * fabs((double)turned))};
}

void turned_row(const fovea_rotation *rotation, int64_t batch, int64_t position, int64_t count, double *x,
                double *error) {
    const int64_t pairs = (rotation->rotary_dim > 0 ? rotation->rotary_dim : count) / 2;
    memset(error, 0, (size_t)count * sizeof *error);
    for (int64_t i = 0; i < pairs; i++) {
        const bool split = rotation->layout == FOVEA_ROPE_HALF_SPLIT;
        const int64_t first = split ? i : 2 * i, second = split ? pairs + i : 2 * i + 1;
        const angle by = angle_of(rotation, batch, position, i, pairs);
        const double a = x[first], b = x[second];
        x[first] = a * by.cosine - b * by.sine;
        x[second] = b * by.cosine + a * by.sine;
        /* Two products and a sum, each rounded once. */
        const double rounding = 3 * 0x1p-24 * (fabs(by.cosine) + fabs(by.sine)) + by.error;
        error[first] = error[second] = (fabs(a) + fabs(b)) * rounding + 0x1p-149;
    }
}

double turned_rounding(fovea_type type, double x) {
    switch (type) {
    case FOVEA_F32:
        return fabs(x) * 0x1p-24 + 0x1p-150;
    case FOVEA_F16:
        return fmax(fabs(x) * 0x1p-11, 0x1p-25);
    default:
        return fabs(x) * 0x1p-8 + 0x1p-134;
    }
}
