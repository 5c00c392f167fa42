/* The row family of every backend that this processor runs, against plain loops: dot products with keys, weighted sums
 * of values. */
#include <check.h>
#include <math.h>
#include <string.h>

#include "arch/cpu.h"
#include "support/backends.h"
#include "support/emulated_bytes.h"
#include "support/kernel_case.h"
#include "support/kernel_memory.h"
#include "support/narrow.h"
#include "support/random.h"

static int64_t random_dim(test_random *random) {
    return random_chance(random, 0.1) ? random_between(random, 71, 300) : random_between(random, 1, 70);
}

/* A stride for rows of `count` elements that keeps every row aligned. */
static int64_t aligned_stride(int64_t count, test_random *random) {
    enum { STEP = FV_ALIGNMENT / sizeof(float) };
    return (count + STEP - 1) / STEP * STEP + STEP * random_between(random, 0, 2);
}

/* Elements from the first of row 0 to the last of the last row. */
static int64_t span(int64_t rows, int64_t stride, int64_t count) {
    return rows > 0 && count > 0 ? (rows - 1) * stride + count : 0;
}

/* True if the gaps between rows still hold what they held. */
static bool same_gaps(int64_t rows, int64_t stride, int64_t count, const float *data, const float *before) {
    for (int64_t row = 0; count > 0 && row + 1 < rows; row++) {
        const size_t gap = sizeof(float) * (size_t)(stride - count);
        if (memcmp(data + row * stride + count, before + row * stride + count, gap) != 0) {
            return false;
        }
    }
    return true;
}

/* --- Stored rows --- */

static const fovea_type stored_types[] = {FOVEA_F32, FOVEA_F16, FOVEA_BF16, FOVEA_INT8};

/* `rows` of f32 at a stride, and the same as a kernel reads them, from guarded memory of their own. */
typedef struct stored_rows {
    float *wide;
    fv_stored stored;
} stored_rows;

/* Elements of int8 rows are the whole numbers next to the wide ones in steps of a random scale; the wide ones become
 * what is stored. */
static void store_element(fovea_type type, float scale, float *wide, void *element) {
    if (type == FOVEA_INT8) {
        const float whole = rintf(fminf(fmaxf(*wide / scale, -127), 127));
        *(int8_t *)element = (int8_t)whole;
        *wide = whole * scale;
    } else {
        *(uint16_t *)element = narrow_nearest(narrow_of(type), (double)*wide);
        *wide = (float)narrow_value(narrow_of(type), *(uint16_t *)element);
    }
}

static stored_rows take_stored(kernel_memory *memory, fovea_type type, int32_t rows, int64_t columns, float range) {
    stored_rows self = {.stored = {.count = rows, .length = columns}};
    int64_t stride;
    self.wide = take_rows(memory, rows, columns, range, &stride);
    self.stored.stride = stride;
    self.stored.rows = self.wide;
    if (type == FOVEA_F32) {
        return self;
    }
    const int64_t size = type == FOVEA_INT8 ? 1 : 2, distance = stride < 0 ? -stride : stride;
    unsigned char *first = take_bytes(memory, size * span(rows, distance, columns), (size_t)size);
    first += stride < 0 && rows > 0 ? (rows - 1) * distance * size : 0;
    float *scales = take_floats(memory, rows, sizeof(float));
    for (int32_t row = 0; row < rows; row++) {
        scales[row] = random_float(memory->random, 0.25f, 1) * range / 127;
        for (int64_t at = row * stride; at < row * stride + columns; at++) {
            store_element(type, scales[row], &self.wide[at], first + at * size);
        }
    }
    self.stored.rows = first;
    self.stored.scales = type == FOVEA_INT8 ? scales : NULL;
    self.stored.scale_stride = 1;
    return self;
}

/* Rows [begin, begin + count) of them. */
static fv_stored part_of(const fv_stored *whole, fovea_type type, int32_t begin, int32_t count) {
    const int64_t size = type == FOVEA_F32 ? 4 : type == FOVEA_INT8 ? 1 : 2;
    fv_stored part = *whole;
    part.rows = (const unsigned char *)whole->rows + begin * whole->stride * size;
    part.scales = whole->scales ? whole->scales + begin : NULL;
    part.count = count;
    return part;
}

/* The same rows by their addresses. */
static fv_stored by_address(kernel_memory *memory, const fv_stored *whole, fovea_type type) {
    const void **each = (const void **)take_bytes(memory, (int64_t)sizeof(void *) * whole->count, sizeof(void *));
    for (int32_t row = 0; row < whole->count; row++) {
        each[row] = part_of(whole, type, row, 1).rows;
    }
    return (fv_stored){.count = whole->count,
                       .length = whole->length,
                       .scales = whole->scales,
                       .scale_stride = whole->scale_stride,
                       .each = each,
                       .each_ahead = each};
}

/* How many queries there are, and how far the scales of a run's keys go, may tell how int8 is multiplied; other types
 * are multiplied alike for any number, and each key by itself. */
static int32_t rows_beside(fovea_type type, int32_t rows) {
    return type == FOVEA_INT8 ? rows : 1;
}

/* Queries or weights of which row `row` is as before, and the others something else. */
static const float *with_others(kernel_memory *memory, const float *all, int32_t rows, int64_t stride, int64_t length,
                                int32_t row, test_random *random) {
    float *changed = copy_of(memory, all, span(rows, stride, length));
    for (int32_t other = 0; other < rows; other++) {
        const float factor = (float[]){0, 0.5f, -1, 0x1p30f, NAN}[random_between(random, 0, 4)];
        for (int64_t i = 0; other != row && i < length; i++) {
            changed[other * stride + i] *= factor;
        }
    }
    return changed;
}

/* --- dots --- */

/* Two roundings an element; and of int8 one of the sum by its scale, and of each number that is compared. */
static void check_dots(const stored_rows *k, const float *q, int64_t q_stride, int32_t rows, const float *s,
                       int64_t s_stride) {
    const int64_t dim = k->stored.length, roundings = 2 * dim + (k->stored.scales ? 2 : 0);
    for (int32_t row = 0; row < rows; row++) {
        for (int32_t key = 0; key < k->stored.count; key++) {
            double exact = 0, size = 0;
            for (int64_t d = 0; d < dim; d++) {
                const double term = (double)q[row * q_stride + d] * (double)k->wide[key * k->stored.stride + d];
                exact += term;
                size += fabs(term);
            }
            ck_assert_msg(is_near(s[row * s_stride + key], exact, (double)roundings * unit * size),
                          "dot %.9g instead of %.9g (row %d of %d, key %d of %d, dim %d)",
                          (double)s[row * s_stride + key], exact, (int)row, (int)rows, (int)key, (int)k->stored.count,
                          (int)dim);
        }
    }
}

static void check_dots_once(const fv_backend *backend, fovea_type type, test_random *random) {
    kernel_memory memory = kernel_memory_create(random);
    const int32_t rows = (int32_t)random_between(random, 1, FV_MAX_ROWS), keys = (int32_t)random_between(random, 0, 70);
    const int64_t dim = random_dim(random), q_stride = aligned_stride(dim, random);
    const int64_t s_stride = aligned_stride(keys, random);
    const stored_rows rows_of_k = take_stored(&memory, type, keys, dim, 1);
    const fv_stored k = rows_of_k.stored;
    float *q = take_random(&memory, span(rows, q_stride, dim), FV_ALIGNMENT, 2);
    float *s = take_random(&memory, span(rows, s_stride, keys), FV_ALIGNMENT, 1);
    const float *before = copy_of(&memory, s, span(rows, s_stride, keys));
    backend->read[type]->dots(q, q_stride, rows, &k, s, s_stride);
    ck_assert_msg(same_gaps(rows, s_stride, keys, s, before), "wrote between the rows");
    check_dots(&rows_of_k, q, q_stride, rows, s, s_stride);
    float *again = take_floats(&memory, span(rows, s_stride, keys), FV_ALIGNMENT);
    const fv_stored anywhere = by_address(&memory, &k, type);
    backend->read[type]->dots(q, q_stride, rows, &anywhere, again, s_stride);
    for (int32_t row = 0; row < rows; row++) {
        ck_assert_msg(same_floats(keys, again + row * s_stride, s + row * s_stride), "depends on where rows lie");
    }
    /* A row beside others than before, or alone; the keys in two runs. */
    const int32_t cut = type == FOVEA_INT8 ? keys : (int32_t)random_between(random, 0, keys);
    const int32_t beside = rows_beside(type, rows);
    float *part = take_floats(&memory, span(rows, s_stride, keys), FV_ALIGNMENT);
    for (int32_t row = 0; row < rows; row++) {
        const fv_stored first = part_of(&k, type, 0, cut), second = part_of(&k, type, cut, keys - cut);
        const int32_t from = beside == 1 ? row : 0;
        const float *changed = with_others(&memory, q, rows, q_stride, dim, row, random) + from * q_stride;
        const float *of_row = part + (row - from) * s_stride;
        backend->read[type]->dots(changed, q_stride, beside, &first, part, s_stride);
        ck_assert_msg(same_floats(cut, of_row, s + row * s_stride), "a row depends on the others");
        backend->read[type]->dots(changed, q_stride, beside, &second, part, s_stride);
        ck_assert_msg(same_floats(keys - cut, of_row, s + row * s_stride + cut), "a key depends on the others");
    }
    kernel_memory_end(&memory);
}

START_TEST(dots_are_dot_products_whatever_the_number_of_rows) {
    test_random random = test_random_named("dots", _i);
    for (int64_t i = 0; i < test_scaled(600); i++) {
        check_dots_once(backend_at(_i), stored_types[i % 4], &random);
    }
}
END_TEST

START_TEST(dots_propagate_nan_and_infinity_to_their_key_and_no_further) {
    const fv_backend *backend = backend_at(_i);
    test_random random = test_random_named("dots hostile", _i);
    enum { KEYS = 37, ROWS = 3, DIM = 21, STRIDE = 32, S_STRIDE = 48 };
    for (int64_t n = 0; n < test_scaled(100); n++) {
        kernel_memory memory = kernel_memory_create(&random);
        float *k = take_random(&memory, KEYS * DIM, sizeof(float), 1);
        const float *q = take_random(&memory, ROWS * STRIDE, FV_ALIGNMENT, 1);
        float *s = take_floats(&memory, ROWS * S_STRIDE, FV_ALIGNMENT);
        const int64_t poisoned = random_between(&random, 0, KEYS - 1);
        const float poison = (float[]){NAN, INFINITY, -INFINITY}[random_between(&random, 0, 2)];
        k[poisoned * DIM + random_between(&random, 0, DIM - 1)] = poison;
        const fv_stored stored = {.rows = k, .stride = DIM, .count = KEYS, .length = DIM};
        backend->read[FOVEA_F32]->dots(q, STRIDE, ROWS, &stored, s, S_STRIDE);
        for (int32_t i = 0; i < ROWS * KEYS; i++) {
            const float actual = s[i / KEYS * S_STRIDE + i % KEYS];
            if (i % KEYS == poisoned) {
                ck_assert(isnan(poison) ? isnan(actual) != 0 : isinf(actual) != 0);
            } else {
                ck_assert(isfinite(actual));
            }
        }
        kernel_memory_end(&memory);
    }
}
END_TEST

/* --- weighted_sum, weighted_sum_marked --- */

/* Makes an element of a row, or an int8 row's scale, a NaN or an infinity. */
static void poison_row(const stored_rows *rows, fovea_type type, int32_t row, test_random *random) {
    const float poison = (float[]){NAN, INFINITY, -INFINITY}[random_between(random, 0, 2)];
    const int64_t at = row * rows->stored.stride + random_between(random, 0, rows->stored.length - 1);
    rows->wide[at] = poison;
    if (type == FOVEA_INT8) {
        ((float *)(uintptr_t)rows->stored.scales)[row] = poison;
    } else if (type != FOVEA_F32) {
        ((uint16_t *)(uintptr_t)rows->stored.rows)[at] = narrow_nearest(narrow_of(type), (double)poison);
    }
}

/* Weights as a softmax gives them, all positive and some far below the largest; or any. */
static float *take_weights(kernel_memory *memory, int32_t rows, int64_t stride, int32_t keys, test_random *random) {
    float *p = take_random(memory, span(rows, stride, keys), FV_ALIGNMENT, 1);
    for (int32_t row = 0; row < rows; row++) {
        const bool of_softmax = random_chance(random, 0.7);
        const int64_t range = random_between(random, 0, 40);
        for (int32_t key = 0; of_softmax && key < keys; key++) {
            float *weight = p + row * stride + key;
            *weight = ldexpf(fabsf(*weight), -(int32_t)random_between(random, 0, range));
        }
    }
    return p;
}

/* What one query's output is after values of these weights were added to what it was before. */
static void check_sum(const stored_rows *values, const float *weights, const float *before, const float *after) {
    const fv_stored *stored = &values->stored;
    for (int64_t d = 0; d < stored->length; d++) {
        double exact = (double)before[d], size = fabs(exact), largest_value = 0, largest_weight = 0;
        for (int32_t key = 0; key < stored->count; key++) {
            const double weight = (double)weights[key];
            const double term = weight == 0 ? 0 : weight * (double)values->wide[key * stored->stride + d];
            exact += term;
            size += fabs(term);
            largest_value = fmax(largest_value, weight == 0 ? 0 : fabs((double)values->wide[key * stored->stride + d]));
            largest_weight = fmax(largest_weight, fabs(weight));
        }
        /* Weights of int8 values may be rounded to a fraction of the largest. */
        const double fixed = stored->scales ? unit * largest_weight * largest_value * stored->count / 128 : 0;
        ck_assert_msg(is_near(after[d], exact, (double)(2 * stored->count + 2) * unit * size + fixed),
                      "o %.9g instead of %.9g (d %d of %d, %d keys)", (double)after[d], exact, (int)d,
                      (int)stored->length, (int)stored->count);
    }
}

static void check_weighted_sum_once(const fv_backend *backend, fovea_type type, bool marked, test_random *random) {
    kernel_memory memory = kernel_memory_create(random);
    const int32_t rows = (int32_t)random_between(random, 1, FV_MAX_ROWS), keys = (int32_t)random_between(random, 0, 70);
    const int64_t dim = random_dim(random), o_stride = aligned_stride(dim, random);
    const int64_t p_stride = aligned_stride(keys, random);
    const stored_rows rows_of_v = take_stored(&memory, type, keys, dim, 2);
    const fv_stored stored = rows_of_v.stored;
    float *p = take_weights(&memory, rows, p_stride, keys, random);
    for (int32_t key = 0; marked && key < keys; key++) {
        const bool poisoned = random_chance(random, 0.2);
        if (poisoned) {
            poison_row(&rows_of_v, type, key, random);
        }
        for (int32_t row = 0; row < rows; row++) {
            if (poisoned || random_chance(random, 0.3)) {
                p[row * p_stride + key] = -0.0f;
            }
        }
    }
    float *o = take_random(&memory, span(rows, o_stride, dim), FV_ALIGNMENT, 1);
    const float *before = copy_of(&memory, o, span(rows, o_stride, dim));
    float *again = copy_of(&memory, o, span(rows, o_stride, dim));
    const fv_stored anywhere = by_address(&memory, &stored, type);
    const fv_row_reads *read = backend->read[type];
    const __typeof__(read->weighted_sum) kernel = marked ? read->weighted_sum_marked : read->weighted_sum;
    kernel(p, p_stride, rows, &stored, o, o_stride);
    ck_assert_msg(same_gaps(rows, o_stride, dim, o, before), "wrote between the rows");
    kernel(p, p_stride, rows, &anywhere, again, o_stride);
    for (int32_t row = 0; row < rows; row++) {
        check_sum(&rows_of_v, p + row * p_stride, before + row * o_stride, o + row * o_stride);
        ck_assert_msg(same_floats(dim, again + row * o_stride, o + row * o_stride), "depends on where rows lie");
        const int32_t from = rows_beside(type, rows) == 1 ? row : 0;
        const float *changed = with_others(&memory, p, rows, p_stride, keys, row, random);
        float *beside = copy_of(&memory, before, span(rows, o_stride, dim));
        kernel(changed + from * p_stride, p_stride, rows_beside(type, rows), &stored, beside + from * o_stride,
               o_stride);
        ck_assert_msg(same_floats(dim, beside + row * o_stride, o + row * o_stride), "a row depends on the others");
    }
    kernel_memory_end(&memory);
}

START_TEST(weighted_sum_adds_to_what_is_there) {
    test_random random = test_random_named("weighted_sum", _i);
    for (int64_t i = 0; i < test_scaled(600); i++) {
        check_weighted_sum_once(backend_at(_i), stored_types[i % 4], false, &random);
    }
}
END_TEST

START_TEST(weighted_sum_marked_lets_no_marked_position_take_part) {
    test_random random = test_random_named("weighted_sum_marked", _i);
    for (int64_t i = 0; i < test_scaled(600); i++) {
        check_weighted_sum_once(backend_at(_i), stored_types[i % 4], true, &random);
    }
}
END_TEST

/* Runs too short to be read from several places at a time. */
enum { SHORT_RUN = 63 };

static void dots_of_short_runs(const fv_row_reads *read, const stored_rows *k, fovea_type type, const float *q,
                               int64_t stride, int32_t rows, float *s, int64_t s_stride) {
    for (int32_t key = 0; key < k->stored.count; key += SHORT_RUN) {
        const int32_t left = k->stored.count - key;
        const fv_stored run = part_of(&k->stored, type, key, left < SHORT_RUN ? left : SHORT_RUN);
        read->dots(q, stride, rows, &run, s + key, s_stride);
    }
}

/* Each key of a long run is multiplied as that of a short one, and values are added in an order that may differ, but
 * depends neither on the number of queries nor on where rows lie. */
static void check_long_run_once(const fv_backend *backend, fovea_type type, test_random *random) {
    kernel_memory memory = kernel_memory_create(random);
    const int32_t rows = (int32_t)random_between(random, 1, FV_MAX_ROWS);
    /* Half of them few, or where pieces begin to have a group of rows, or whole ones. */
    const int32_t keys = (int32_t)(random_chance(random, 0.5)
                                       ? random_between(random, 0, FV_MAX_RUN)
                                       : RANDOM_OF(random, 3, 4, 63, 64, 127, 128, 255, 256, 384, 512, FV_MAX_RUN));
    const int64_t dim = random_chance(random, 0.3)   ? random_dim(random)
                        : random_chance(random, 0.3) ? 8 * random_between(random, 1, 20)
                                                     : 16 * random_between(random, 1, 10);
    const int64_t stride = aligned_stride(dim, random), s_stride = aligned_stride(keys, random);
    const stored_rows stored = take_stored(&memory, type, keys, dim, 1);
    const fv_stored anywhere = by_address(&memory, &stored.stored, type);
    const fv_row_reads *read = backend->read[type];
    ck_assert_int_le(read->key_block, FV_MAX_RUN);
    const float *q = take_random(&memory, span(rows, stride, dim), FV_ALIGNMENT, 2);
    float *s = take_floats(&memory, span(rows, s_stride, keys), FV_ALIGNMENT);
    float *others = take_floats(&memory, span(rows, s_stride, keys), FV_ALIGNMENT);
    read->dots(q, stride, rows, &stored.stored, s, s_stride);
    dots_of_short_runs(read, &stored, type, q, stride, rows, others, s_stride);
    if (type == FOVEA_INT8) {
        check_dots(&stored, q, stride, rows, s, s_stride);
    }
    for (int32_t row = 0; type != FOVEA_INT8 && row < rows; row++) {
        ck_assert_msg(same_floats(keys, s + row * s_stride, others + row * s_stride),
                      "products of %d keys of %d elements differ", (int)keys, (int)dim);
    }
    read->dots(q, stride, rows, &anywhere, others, s_stride);
    const float *p = take_weights(&memory, rows, s_stride, keys, random);
    float *o = take_random(&memory, span(rows, stride, dim), FV_ALIGNMENT, 1);
    const float *before = copy_of(&memory, o, span(rows, stride, dim));
    float *by_places = copy_of(&memory, o, span(rows, stride, dim));
    read->weighted_sum(p, s_stride, rows, &stored.stored, o, stride);
    read->weighted_sum(p, s_stride, rows, &anywhere, by_places, stride);
    ck_assert_msg(same_gaps(rows, stride, dim, o, before), "wrote between the rows");
    for (int32_t row = 0; row < rows; row++) {
        check_sum(&stored, p + row * s_stride, before + row * stride, o + row * stride);
        ck_assert_msg(same_floats(keys, s + row * s_stride, others + row * s_stride) &&
                          same_floats(dim, by_places + row * stride, o + row * stride),
                      "depends on where rows lie");
        const int32_t from = rows_beside(type, rows) == 1 ? row : 0;
        const float *changed = with_others(&memory, p, rows, s_stride, keys, row, random);
        float *beside = copy_of(&memory, before, span(rows, stride, dim));
        read->weighted_sum(changed + from * s_stride, s_stride, rows_beside(type, rows), &stored.stored,
                           beside + from * stride, stride);
        ck_assert_msg(same_floats(dim, beside + row * stride, o + row * stride), "a row depends on the others");
    }
    kernel_memory_end(&memory);
}

START_TEST(long_runs_are_read_like_short_ones) {
    test_random random = test_random_named("long runs", _i);
    for (int64_t i = 0; i < test_scaled(300); i++) {
        check_long_run_once(backend_at(_i), stored_types[i % 4], &random);
    }
}
END_TEST

#ifdef HAVE_EMULATED_BYTES
/* What AVX512-VNNI and AMX-INT8 do with int8, over AVX-512 alone. */
START_TEST(int8_is_read_by_digits_over_emulated_instructions) {
    const fv_backend backend = {.read = {[FOVEA_INT8] = _i ? &emulated_byte_matrix_reads : &emulated_byte_reads}};
    test_random random = test_random_named("emulated bytes", _i);
    for (int64_t i = 0; (fv_cpu_detect() & FV_CPU_AVX512) == FV_CPU_AVX512 && i < test_scaled(200); i++) {
        check_dots_once(&backend, FOVEA_INT8, &random);
        check_weighted_sum_once(&backend, FOVEA_INT8, false, &random);
        check_weighted_sum_once(&backend, FOVEA_INT8, true, &random);
        check_long_run_once(&backend, FOVEA_INT8, &random);
    }
}
END_TEST
#endif

START_TEST(a_nan_value_reaches_exactly_the_rows_that_weigh_it) {
    const fv_backend *backend = backend_at(_i);
    test_random random = test_random_named("nan value, rows", _i);
    enum { KEYS = 19, DIM = 23, STRIDE = 32, ROWS = 3 };
    kernel_memory memory = kernel_memory_create(&random);
    float *v = take_random(&memory, KEYS * DIM, sizeof(float), 1);
    v[7 * DIM + 22] = NAN;
    float *p = take_random(&memory, ROWS * STRIDE, FV_ALIGNMENT, 1),
          *o = take_random(&memory, ROWS * STRIDE, FV_ALIGNMENT, 1);
    p[7] = -0.0f;
    p[STRIDE + 7] = 0.25f;
    p[2 * STRIDE + 7] = 0.0f; /* an underflow: 0 * NaN */
    const fv_stored stored = {.rows = v, .stride = DIM, .count = KEYS, .length = DIM};
    backend->read[FOVEA_F32]->weighted_sum_marked(p, STRIDE, ROWS, &stored, o, STRIDE);
    for (int32_t i = 0; i < ROWS * DIM; i++) {
        ck_assert_int_eq(isnan(o[i / DIM * STRIDE + i % DIM]) != 0, i % DIM == 22 && i / DIM > 0);
    }
    kernel_memory_end(&memory);
}
END_TEST

Suite *row_reads_suite(void);

Suite *row_reads_suite(void) {
    Suite *suite = suite_create("row reads");
    TCase *tcase = tcase_create("every backend");
    ADD_FOR_BACKENDS(tcase, dots_are_dot_products_whatever_the_number_of_rows);
    ADD_FOR_BACKENDS(tcase, dots_propagate_nan_and_infinity_to_their_key_and_no_further);
    ADD_FOR_BACKENDS(tcase, weighted_sum_adds_to_what_is_there);
    ADD_FOR_BACKENDS(tcase, weighted_sum_marked_lets_no_marked_position_take_part);
    ADD_FOR_BACKENDS(tcase, long_runs_are_read_like_short_ones);
    ADD_FOR_BACKENDS(tcase, a_nan_value_reaches_exactly_the_rows_that_weigh_it);
#ifdef HAVE_EMULATED_BYTES
    tcase_add_loop_test(tcase, int8_is_read_by_digits_over_emulated_instructions, 0, 2);
#endif
    suite_add_tcase(suite, tcase);
    return suite;
}
