/* The row family over a backend's vector vocabulary. Include vec.h, elements.h and exp2.h first. Each function is a
 * member of fv_row_kernels (arch/kernel.h says what it does). */
#ifndef FOVEA_ARCH_COMMON_ROW_STEPS_H
#define FOVEA_ARCH_COMMON_ROW_STEPS_H

#include <float.h>
#include <string.h>

#include "arch/common/ahead.h"
#include "arch/common/tanh.h"

#define FV_LOG_2 0.693147180559945309f

/* How far ahead of the loads rows are asked for. */
enum { PREFETCH_BYTES = 8192 };

/* Bytes between a row that lies a stride from the next, of elements of so many bytes, and the one to ask for while
 * reading it: a row a little further on. */
static inline int64_t steady_distance(const fv_stored *stored, int64_t element) {
    const int64_t rows = PREFETCH_BYTES / (stored->length * element);
    return (rows > 0 ? rows : 1) * stored->stride * element;
}

/* The same for any row, where that of those a stride apart is known; SCATTERED: rows are found by `each`. */
static inline __attribute__((always_inline)) int64_t distance_ahead(const fv_stored *stored, int32_t row,
                                                                    const int scattered, int64_t steady) {
    if (!scattered)
        return steady;
    return (int64_t)((uintptr_t)stored->each_ahead[row] - (uintptr_t)stored->each[row]);
}

/* Those from row `begin` on, of elements of so many bytes. */
static inline fv_stored rows_from(const fv_stored *all, int32_t begin, int64_t element) {
    fv_stored rest = *all;
    if (all->each) {
        rest.each += begin;
        rest.each_ahead += begin;
    } else {
        rest.rows = (const char *)all->rows + begin * all->stride * element;
    }
    if (all->scales)
        rest.scales += begin * all->scale_stride;
    rest.count -= begin;
    return rest;
}

/* Keeps the compiler from moving loads of one cache line before those of the line in front of it. */
static inline void in_order(void) {
    __asm__ volatile("" ::: "memory");
}

/* The first `count` lanes, zeros behind them: there an infinite factor would make NaN of padding. */
static inline vf first_lanes_of(vf x, int64_t count) {
    float lanes[V_LANES];
    v_store(lanes, x);
    return v_load_f32_part(lanes, count);
}

/* What fits the registers, and the memory: ROWS_AT_ONCE (4 or 8) rows of queries share what is read of a key or value;
 * ROW_DOT_KEYS(bytes, rows) keys (1 or 2) of `bytes` bytes an element are multiplied with `rows` queries at a time;
 * each product is ROW_DOT_SUMS (1 or 2) sums until its end: 2 where others cannot hide how long a sum takes;
 * ROW_SUM_KEYS(bytes) values are added to the output of a single query at a time: 1 where rows come from memory fastest
 * one after the other, 4 where arithmetic binds, 0 where an output stays in registers, as those of several queries do;
 * ROW_STRIP(rows) vectors of each of `rows` outputs, a power of two up to STRIP_MOST, stay there while values are added
 * to them. ROW_KEYS(bytes) keys are taken before their values. ROW_IN_PIECES (0 or 1): a single query
 * can read rows without scales from several places at a time. ROW_HOLD(x) keeps a vector in a register, which the
 * compiler would rather load again for every use. */
#if !defined(ROWS_AT_ONCE) || !defined(ROW_DOT_KEYS) || !defined(ROW_DOT_SUMS) || !defined(ROW_SUM_KEYS) || \
    !defined(ROW_STRIP) || !defined(ROW_KEYS) || !defined(ROW_IN_PIECES) || !defined(ROW_HOLD)
#error "the backend's rows.c says what fits its registers"
#endif

enum { STRIP_MOST = 16 };

/* Values whose columns are added to the outputs of several queries at a time. */
enum { STRIP_KEYS = 16 };

/* Runs of fewer values are not worth streaming: SHORT_SUM_KEYS of them at a time shorten the chain of sums. */
enum { STREAM_KEYS = 64, SHORT_SUM_KEYS = 4 };

/* Pieces of a run that a single query reads in lockstep, and the least keys of such a run. */
enum { ROW_PIECES = 4, LEAST_IN_PIECES = 64 };

/* How many of `rows` rows to take at once. */
static inline int32_t rows_taken(int32_t rows) {
    return rows >= ROWS_AT_ONCE ? ROWS_AT_ONCE : rows < 4 ? rows : 4;
}

/* A backend that takes another's kernels for f32 says so by ROW_READS_F32_ELSEWHERE. */
#ifndef ROW_READS_F32_ELSEWHERE
#define READ f32
#define READ_LOADS f32
#define READ_TYPE float
#define READ_SCALED 0
#include "arch/common/row_reads.inc"
#endif

#define READ f16
#define READ_LOADS f16
#define READ_TYPE uint16_t
#define READ_SCALED 0
#include "arch/common/row_reads.inc"

#define READ bf16
#define READ_LOADS bf16
#define READ_TYPE uint16_t
#define READ_SCALED 0
#include "arch/common/row_reads.inc"

#include "arch/common/row_scaled.h"

static float peak(const float *s, int32_t count, float largest) {
    int32_t i = 0;
    if (count >= V_LANES) {
        vf lanes = v_set(largest);
        for (; i + V_LANES <= count; i += V_LANES)
            lanes = v_max(v_load(s + i), lanes);
        largest = v_largest(lanes);
    }
    for (; i < count; i++)
        largest = s[i] > largest ? s[i] : largest;
    return largest;
}

/* Runs `operation`, which works on whole vectors, on `count` elements: the rest goes through a padded copy. */
static inline __attribute__((always_inline)) void
on_whole_vectors(float *s, int32_t count, void (*operation)(float *, int32_t, float), float by) {
    int32_t whole = count / V_LANES * V_LANES;
    operation(s, whole, by);
    if (whole < count) {
        float part[V_LANES] = {0};
        memcpy(part, s + whole, (size_t)(count - whole) * sizeof(float));
        operation(part, V_LANES, by);
        memcpy(s + whole, part, (size_t)(count - whole) * sizeof(float));
    }
}

static void whole_softcap(float *s, int32_t count, float cap) {
    for (int32_t i = 0; i < count; i += V_LANES)
        v_store(s + i, v_mul(v_set(cap), v_tanh(v_load(s + i))));
}

static void row_softcap(float *s, int32_t count, float cap) {
    on_whole_vectors(s, count, whole_softcap, cap);
}

/* Lanes count keys from `first` on. */
static void whole_alibi(float *s, int32_t count, int32_t first, float slope, float diagonal) {
    float keys[V_LANES];
    for (int32_t i = 0; i < V_LANES; i++)
        keys[i] = (float)i;
    for (int32_t i = 0; i < count; i += V_LANES) {
        vf key = v_add(v_load(keys), v_set((float)(first + i)));
        v_store(s + i, v_fma(v_set(-slope), v_absolute(v_sub(v_set(diagonal), key)), v_load(s + i)));
    }
}

static void row_alibi(float *s, int32_t count, float slope, float diagonal) {
    int32_t whole = count / V_LANES * V_LANES;
    whole_alibi(s, whole, 0, slope, diagonal);
    if (whole < count) {
        float part[V_LANES] = {0};
        memcpy(part, s + whole, (size_t)(count - whole) * sizeof(float));
        whole_alibi(part, V_LANES, whole, slope, diagonal);
        memcpy(s + whole, part, (size_t)(count - whole) * sizeof(float));
    }
}

static void row_add_terms(float *s, const float *terms, int32_t count) {
    vf forbidden = v_set(-INFINITY);
    int32_t i = 0;
    for (; i + V_LANES <= count; i += V_LANES) {
        vf term = v_load(terms + i);
        v_store(s + i, v_select(v_equal(term, forbidden), forbidden, v_add(v_load(s + i), term)));
    }
    for (; i < count; i++)
        s[i] = terms[i] == -INFINITY ? -INFINITY : s[i] + terms[i];
}

static void whole_sleef(float *s, int32_t count, float shift) {
    for (int32_t i = 0; i < count; i += V_LANES) {
        vf p = v_sleef_exp2(v_sub(v_load(s + i), v_set(shift)));
        v_store(s + i, flush_below(FV_LEAST_EXPONENT, v_sub(v_load(s + i), v_set(shift)), p));
    }
}

static void whole_fused(float *s, int32_t count, float shift) {
    for (int32_t i = 0; i < count; i += V_LANES) {
        vf x[1] = {v_sub(v_load(s + i), v_set(shift))};
        fused_exp2(x, 1, FV_LEAST_EXPONENT);
        v_store(s + i, x[0]);
    }
}

/* exp2(s - shift), then -0.0 where s was -inf. */
static void whole_marked(float *s, int32_t count, float shift, fv_exp exp) {
    for (int32_t i = 0; i < count; i += V_LANES) {
        float kept[V_LANES];
        memcpy(kept, s + i, sizeof kept);
        if (exp == FV_EXP_FUSED)
            whole_fused(s + i, V_LANES, shift);
        else
            whole_sleef(s + i, V_LANES, shift);
        vmask forbidden = v_equal(v_load(kept), v_set(-INFINITY));
        v_store(s + i, v_select(forbidden, v_set(-0.0f), v_load(s + i)));
    }
}

static void whole_marked_sleef(float *s, int32_t count, float shift) {
    whole_marked(s, count, shift, FV_EXP_SLEEF);
}

static void whole_marked_fused(float *s, int32_t count, float shift) {
    whole_marked(s, count, shift, FV_EXP_FUSED);
}

static float sum_of(const float *s, int32_t count) {
    vf lanes = v_set(0.0f);
    int32_t i = 0;
    for (; i + V_LANES <= count; i += V_LANES)
        lanes = v_add(lanes, v_load(s + i));
    if (i < count)
        lanes = v_add(lanes, v_load_f32_part(s + i, count - i));
    return v_sum(lanes);
}

static float row_exponentials(float *s, int32_t count, float shift, fv_exp exp, int32_t mark_forbidden) {
    if (mark_forbidden)
        on_whole_vectors(s, count, exp == FV_EXP_FUSED ? whole_marked_fused : whole_marked_sleef, shift);
    else if (exp == FV_EXP_FUSED)
        on_whole_vectors(s, count, whole_fused, shift);
    else
        on_whole_vectors(s, count, whole_sleef, shift);
    return sum_of(s, count);
}

static void row_scale(float *x, int64_t count, float factor) {
    int64_t i = 0;
    for (; i + V_LANES <= count; i += V_LANES)
        v_store(x + i, v_mul(v_load(x + i), v_set(factor)));
    for (; i < count; i++)
        x[i] *= factor;
}

static void whole_log2(float *x, int32_t count, float unused) {
    (void)unused;
    for (int32_t i = 0; i < count; i += V_LANES)
        v_store(x + i, v_sleef_log2(v_load(x + i)));
}

static void log_sum_exp(const float *m, const float *l, int32_t count, float *lse) {
    memcpy(lse, l, (size_t)count * sizeof(float));
    on_whole_vectors(lse, count, whole_log2, 0.0f);
    for (int32_t i = 0; i < count; i++)
        lse[i] = l[i] == 0.0f ? -INFINITY : (m[i] + lse[i]) * FV_LOG_2;
}

/* IN_PIECES: a single query reads in pieces, for which runs should be long. */
#define ROW_READS(NAME, BYTES, IN_PIECES) \
    { ROW_KEYS(BYTES), (IN_PIECES) ? FV_MAX_BLOCK : 0, dots_##NAME, weighted_sum_##NAME, weighted_sum_marked_##NAME }

static const fv_row_reads f16_reads = ROW_READS(f16, 2, ROW_IN_PIECES);
static const fv_row_reads bf16_reads = ROW_READS(bf16, 2, ROW_IN_PIECES);

/* The initialisers of fv_row_kernels that do not depend on the backend; F32_READS is the address of those for f32. */
#define ROW_FAMILY(F32_READS)                                                                                        \
    .read =                                                                                                          \
        {[FOVEA_F32] = F32_READS, [FOVEA_F16] = &f16_reads, [FOVEA_BF16] = &bf16_reads, [FOVEA_INT8] = &int8_reads}, \
    .peak = peak, .softcap = row_softcap, .alibi = row_alibi, .add_terms = row_add_terms,                            \
    .exponentials = row_exponentials, .scale = row_scale, .log_sum_exp = log_sum_exp

#endif
