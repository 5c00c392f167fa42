/* Dot products with int8 keys, and weighted sums of int8 values: the products of a row's scale are taken out of the
 * sums over its elements, where the numbers allow it.
 *
 * They do not where a scale is so large that an element overflows, or not finite, for then an element of 0 matters; nor
 * where it is so small that its product with a probability would be subnormal. Such rows, and sums that overflow before
 * they are scaled, are computed by their elements. */
#ifndef FOVEA_ARCH_COMMON_ROW_SCALED_H
#define FOVEA_ARCH_COMMON_ROW_SCALED_H

/* A backend may have other ways than these to multiply the bare elements of a run, and to add the values of a run whose
 * scales are ordinary. */
#ifndef MULTIPLY_RUN
#define MULTIPLY_RUN multiply_run
#define WEIGH_RUN weigh_run
#endif

#define READ int8_elements
#define READ_LOADS int8
#define READ_TYPE int8_t
#define READ_SCALED 1
#include "arch/common/row_reads.inc"

#define READ int8_sums
#define READ_LOADS int8
#define READ_TYPE int8_t
#define READ_SCALED 2
#include "arch/common/row_reads.inc"

/* Rows that are taken at a time, at most: their weights for every query lie on the stack, of which 64 KiB must do for a
 * call. Those of a query lie apart from the next one's, not all in one set of the cache. */
enum { SCALED_RUN = ROW_KEYS(1) < 512 ? ROW_KEYS(1) : 512, SCALED_STRIDE = SCALED_RUN + 16 };

static const float least_ordinary_scale = 0x1p-40f, least_large_scale = 0x1p100f;

/* A run of rows with scales one after the other, as many as fill vectors: its own, and zeros behind them. */
typedef struct scaled_run {
    fv_stored stored;
    const float *scales;
    float copied[SCALED_RUN];
    int32_t all_ordinary;
} scaled_run;

static int32_t is_ordinary(float scale) {
    return scale == 0.0f || (fabsf(scale) >= least_ordinary_scale && fabsf(scale) < least_large_scale);
}

/* Of whole vectors of scales. */
static int32_t all_are_ordinary(const float *scales, int32_t count) {
    vf least = v_set(1.0f), largest = v_set(1.0f), check = v_set(0.0f);
    for (int32_t i = 0; i < count; i += V_LANES) {
        const vf scale = v_load(scales + i);
        const vf size = v_select(v_equal(scale, v_set(0.0f)), v_set(1.0f), v_absolute(scale));
        check = v_fma(scale, v_set(0.0f), check);
        least = v_min(size, least);
        largest = v_max(size, largest);
    }
    /* The negated least, for there is only a largest lane. */
    return v_sum(check) == 0.0f && v_largest(largest) < least_large_scale &&
           -v_largest(v_sub(v_set(0.0f), least)) >= least_ordinary_scale;
}

static void take_run(const fv_stored *all, int32_t begin, scaled_run *run) {
    run->stored = rows_from(all, begin, sizeof(int8_t));
    run->stored.count = all->count - begin < SCALED_RUN ? all->count - begin : SCALED_RUN;
    const int32_t count = run->stored.count, filled = (count + V_LANES - 1) / V_LANES * V_LANES;
    run->scales = run->stored.scales;
    if (all->scale_stride != 1 || count < filled) {
        /* Two loops: of one with a condition compilers make masked loads, slow where a page without rights follows. */
        for (int32_t i = 0; i < count; i++)
            run->copied[i] = run->stored.scales[i * all->scale_stride];
        for (int32_t i = count; i < filled; i++)
            run->copied[i] = 0.0f;
        run->scales = run->copied;
    }
    run->all_ordinary = all_are_ordinary(run->scales, filled);
}

/* One row of a run. */
static fv_stored row_of_run(const scaled_run *run, int32_t row) {
    fv_stored one = rows_from(&run->stored, row, sizeof(int8_t));
    one.count = 1;
    return one;
}

/* s *= scales; non-zero if all results are finite. */
static int32_t scale_sums(float *s, const float *scales, int32_t count) {
    vf check = v_set(0.0f);
    int32_t i = 0;
    for (; i + V_LANES <= count; i += V_LANES) {
        const vf sum = v_mul(v_load(s + i), v_load(scales + i));
        check = v_fma(sum, v_set(0.0f), check);
        v_store(s + i, sum);
    }
    if (i < count) {
        const vf sum = v_mul(v_load_f32_part(s + i, count - i), v_load(scales + i));
        check = v_fma(sum, v_set(0.0f), check);
        v_store_f32_part(s + i, count - i, sum);
    }
    return v_sum(check) == 0.0f;
}

/* Dot products with bare elements. */
static void multiply_run(const float *q, int64_t q_stride, int32_t rows, const scaled_run *run, float *s,
                         int64_t s_stride) {
    dots_int8_sums(q, q_stride, rows, &run->stored, s, s_stride);
}

static void dots_int8(const float *q, int64_t q_stride, int32_t rows, const fv_stored *k, float *s, int64_t s_stride) {
    for (int32_t begin = 0; begin < k->count; begin += SCALED_RUN) {
        scaled_run run;
        take_run(k, begin, &run);
        MULTIPLY_RUN(q, q_stride, rows, &run, s + begin, s_stride);
        for (int32_t row = 0; row < rows; row++) {
            float *dots = s + begin + row * s_stride;
            if (scale_sums(dots, run.scales, run.stored.count) && run.all_ordinary)
                continue;
            for (int32_t i = 0; i < run.stored.count; i++) {
                const fv_stored one = row_of_run(&run, i);
                if (!is_ordinary(run.scales[i]) || !isfinite(dots[i]))
                    dots_int8_elements(q + row * q_stride, q_stride, 1, &one, dots + i, s_stride);
            }
        }
    }
}

/* p * scales from key `at` on, zeros behind the last one; those that would be subnormal are 0. */
static inline vf weights_at(const float *p, const scaled_run *run, int32_t at) {
    const int32_t left = run->stored.count - at;
    const vf x = left < V_LANES ? v_load_f32_part(p + at, left) : v_load(p + at);
    const vf weight = v_mul(x, v_load(run->scales + at));
    return v_keep(v_not_less(v_absolute(weight), v_set(FLT_MIN)), weight);
}

/* Not a part of its caller, whose stack need not hold the weights then. */
static __attribute__((noinline)) void weigh_run(const float *p, int64_t p_stride, int32_t rows, const scaled_run *run,
                                                float *o, int64_t o_stride) {
    float weights[FV_MAX_ROWS][SCALED_STRIDE] __attribute__((aligned(FV_ALIGNMENT)));
    for (int32_t row = 0; row < rows; row++)
        for (int32_t i = 0; i < run->stored.count; i += V_LANES)
            v_store(weights[row] + i, weights_at(p + row * p_stride, run, i));
    weighted_sum_int8_sums(weights[0], SCALED_STRIDE, rows, &run->stored, o, o_stride);
}

static void weighted_sum_int8(const float *p, int64_t p_stride, int32_t rows, const fv_stored *v, float *o,
                              int64_t o_stride) {
    for (int32_t begin = 0; begin < v->count; begin += SCALED_RUN) {
        scaled_run run;
        take_run(v, begin, &run);
        if (run.all_ordinary)
            WEIGH_RUN(p + begin, p_stride, rows, &run, o, o_stride);
        else
            weighted_sum_int8_elements(p + begin, p_stride, rows, &run.stored, o, o_stride);
    }
}

/* The members of an fv_row_reads. */
#define INT8_READS \
    { ROW_KEYS(1), ROW_IN_PIECES, dots_int8, weighted_sum_int8, weighted_sum_marked_int8_elements }

#endif
