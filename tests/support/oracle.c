#include "oracle.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "oracle_position.h"
#include "widened.h"

int64_t oracle_index(const void *array, fovea_index_type type, int64_t at) {
    return type == FOVEA_INDEX_INT64 ? ((const int64_t *)array)[at] : ((const int32_t *)array)[at];
}

#define REAL double
#define ROW_NAME(name) exact_##name
#define REAL_TANH tanh
#define REAL_EXP exp
#define REAL_LOG log
#include "oracle_row.inc"
#undef REAL
#undef ROW_NAME
#undef REAL_TANH
#undef REAL_EXP
#undef REAL_LOG

#define REAL float
#define ROW_NAME(name) naive_##name
#define REAL_TANH tanhf
#define REAL_EXP expf
#define REAL_LOG logf
#include "oracle_row.inc"

/* Room for what is computed of one row. */
typedef struct row_room {
    bool *allowed;
    double *scaled, *capped, *final, *p, *out;
    float *naive_scaled, *naive_capped, *naive_final, *naive_p, *naive_out;
} row_room;

static void *allocate(int64_t count, size_t size) {
    void *memory = calloc(count > 0 ? (size_t)count : 1, size);
    ck_assert_ptr_nonnull(memory);
    return memory;
}

static row_room room_create(int64_t len, int64_t head_dim_v) {
    double *exact = allocate(4 * len + head_dim_v, sizeof *exact);
    float *naive = allocate(4 * len + head_dim_v, sizeof *naive);
    return (row_room){
        .allowed = allocate(len, sizeof(bool)),
        .scaled = exact,
        .capped = exact + len,
        .final = exact + 2 * len,
        .p = exact + 3 * len,
        .out = exact + 4 * len,
        .naive_scaled = naive,
        .naive_capped = naive + len,
        .naive_final = naive + 2 * len,
        .naive_p = naive + 3 * len,
        .naive_out = naive + 4 * len,
    };
}

static void room_destroy(row_room *room) {
    free(room->allowed);
    free(room->scaled);
    free(room->naive_scaled);
}

static expected expected_create(int64_t count) {
    return (expected){count, allocate(count, sizeof(double)), allocate(count, sizeof(float)), allocate(count, 1)};
}

static void expected_destroy(expected *self) {
    free(self->value);
    free(self->naive);
    free(self->kind);
}

static void expect(expected *self, int64_t at, double value, float naive, expectation kind) {
    self->value[at] = value;
    self->naive[at] = naive;
    self->kind[at] = (unsigned char)kind;
}

/* The sum of the magnitudes of a score's terms. An infinite score that softcap made finite counts as what it became; an
 * infinite bias rounds nothing, and scores of earlier stages may be shown beside it. */
static double size_of_score(const row_position *at, int64_t j, double final) {
    const float *q = q_row(at), *k = k_row(at, j);
    double size = 0;
    for (int64_t d = 0; d < at->desc->head_dim; d++) {
        size += fabs((double)at->scale * (double)q[d] * (double)k[d]);
    }
    if (at->desc->inputs & FOVEA_INPUT_ALIBI) {
        size += fabs((double)alibi_slope(at)) * (double)distance(at, j);
    }
    if ((at->desc->inputs & FOVEA_INPUT_BIAS) && isfinite(bias_term(at, j))) {
        size += fabs((double)bias_term(at, j));
    }
    return isfinite(size) ? size : fabs(final);
}

/* How large the terms of the scores and the values are, where they are finite: scores that weights show, though they
 * may be forbidden, and what is allowed. */
static void measure(oracle *self, const row_position *at, const double *final) {
    const double sink = fabs((double)sink_of(at));
    if (isfinite(sink) && sink > self->max_sink) {
        self->max_sink = sink;
    }
    for (int64_t j = 0; j < at->len_kv; j++) {
        if (!at->allowed[j] && at->desc->weights == FOVEA_WEIGHTS_NONE) {
            continue;
        }
        const double size = size_of_score(at, j, final[j]);
        if (isfinite(size) && size > self->size_shown) {
            self->size_shown = size;
        }
        if (!at->allowed[j]) {
            continue;
        }
        if (isfinite(size) && isfinite(final[j]) && size > self->size) {
            self->size = size;
        }
        const float *v = v_row(at, j);
        for (int64_t d = 0; d < at->desc->head_dim_v; d++) {
            if (isfinite(v[d]) && fabs((double)v[d]) > self->max_v) {
                self->max_v = fabs((double)v[d]);
            }
        }
    }
}

/* What the scores of a row make of its results. */
typedef enum row_kind {
    ROW_ORDINARY,
    /* Every allowed score is -inf, or there is none. */
    ROW_EMPTY,
    ROW_HAS_NAN,
    ROW_HAS_PLUS_INFINITY
} row_kind;

static row_kind kind_of_row(const row_position *at, const double *final) {
    const float sink = sink_of(at);
    bool nan = isnan(sink), plus = sink == INFINITY, empty = true;
    for (int64_t j = 0; j < at->len_kv; j++) {
        nan |= at->allowed[j] && isnan(final[j]);
        plus |= at->allowed[j] && final[j] == INFINITY;
        empty &= final[j] == -INFINITY;
    }
    return plus ? ROW_HAS_PLUS_INFINITY : nan ? ROW_HAS_NAN : empty ? ROW_EMPTY : ROW_ORDINARY;
}

/* What column d of the values makes of an output in an ordinary row. */
static expectation kind_of_column(const row_position *at, const row_room *room, int64_t d) {
    /* Below this, a probability may be zero in f32, whatever the reference it is relative to. */
    const double certain = 0x1p-90;
    bool nan = false, open = false, doubtful = false, plus = false, minus = false;
    for (int64_t j = 0; j < at->len_kv; j++) {
        const float v = v_row(at, j)[d];
        if (!at->allowed[j] || isfinite(v)) {
            continue;
        }
        if (room->final[j] == -INFINITY) {
            /* An allowed score of -inf: some methods take it for forbidden, others multiply by zero. */
            open = true;
        } else if (isnan(v)) {
            nan = true;
        } else {
            doubtful |= room->p[j] < certain;
            plus |= v > 0;
            minus |= v < 0;
        }
    }
    if (nan || (plus && minus && !doubtful)) {
        return EXPECT_NAN;
    }
    return open ? EXPECT_ANYTHING : doubtful ? EXPECT_NOT_FINITE : EXPECT_VALUE;
}

static void expect_out(oracle *self, const row_position *at, const row_room *room, row_kind kind, int64_t row) {
    for (int64_t d = 0; d < at->desc->head_dim_v; d++) {
        const int64_t index = row * at->desc->head_dim_v + d;
        switch (kind) {
        case ROW_EMPTY:
            expect(&self->out, index, 0, 0, EXPECT_EXACTLY);
            break;
        case ROW_HAS_NAN:
        case ROW_HAS_PLUS_INFINITY:
            expect(&self->out, index, (double)NAN, NAN, EXPECT_NAN);
            break;
        case ROW_ORDINARY:
            expect(&self->out, index, room->out[d], room->naive_out[d], kind_of_column(at, room, d));
            break;
        }
    }
}

static void expect_lse(oracle *self, row_kind kind, double lse, float naive, int64_t row) {
    switch (kind) {
    case ROW_HAS_NAN:
        expect(&self->lse, row, (double)NAN, NAN, EXPECT_NAN);
        break;
    case ROW_HAS_PLUS_INFINITY:
        expect(&self->lse, row, INFINITY, NAN, EXPECT_VALUE_OR_NAN);
        break;
    case ROW_EMPTY:
        /* The sink as it is, so that merging stays exact. */
        expect(&self->lse, row, lse, naive, EXPECT_EXACTLY);
        break;
    case ROW_ORDINARY:
        expect(&self->lse, row, lse, naive, EXPECT_VALUE);
        break;
    }
}

/* What the probability of key j in a row must be; its value is room->p[j]. */
static expectation kind_of_probability(const row_position *at, const row_room *room, row_kind kind, int64_t j) {
    if (j >= at->len_kv || !at->allowed[j] || kind == ROW_EMPTY) {
        return EXPECT_EXACTLY;
    }
    if (kind == ROW_HAS_PLUS_INFINITY || (kind == ROW_HAS_NAN && room->final[j] == -INFINITY)) {
        return EXPECT_ANYTHING;
    }
    return kind == ROW_HAS_NAN ? EXPECT_NAN : EXPECT_VALUE;
}

static void expect_probability(oracle *self, const row_position *at, const row_room *room, row_kind kind, int64_t index,
                               int64_t j) {
    const expectation expected_kind = kind_of_probability(at, room, kind, j);
    switch (expected_kind) {
    case EXPECT_EXACTLY:
        expect(&self->weights, index, 0, 0, EXPECT_EXACTLY);
        break;
    case EXPECT_VALUE:
        expect(&self->weights, index, room->p[j], room->naive_p[j], EXPECT_VALUE);
        break;
    default:
        expect(&self->weights, index, (double)NAN, NAN, expected_kind);
        break;
    }
}

/* Which of two kinds their sum is of. */
static expectation kind_of_sum(expectation a, expectation b) {
    static const expectation strongest[] = {EXPECT_NAN, EXPECT_ANYTHING, EXPECT_VALUE};
    for (size_t i = 0; i < sizeof strongest / sizeof *strongest; i++) {
        if (a == strongest[i] || b == strongest[i]) {
            return strongest[i];
        }
    }
    return EXPECT_EXACTLY;
}

/* Adds one head's share to the mean; heads come in their order. */
static void expect_mean(oracle *self, const row_position *at, const row_room *room, row_kind kind) {
    const double heads = (double)at->desc->heads_q;
    for (int64_t j = 0; j < at->args->len_kv; j++) {
        const int64_t index = (at->b * at->args->len_q + at->i) * at->args->len_kv + j;
        const expectation its = kind_of_probability(at, room, kind, j);
        const double p = its == EXPECT_VALUE ? room->p[j] / heads : 0;
        const float naive = its == EXPECT_VALUE ? room->naive_p[j] / (float)heads : 0;
        if (at->h == 0) {
            expect(&self->weights, index, p, naive, its);
        } else {
            expect(&self->weights, index, self->weights.value[index] + p, self->weights.naive[index] + naive,
                   kind_of_sum((expectation)self->weights.kind[index], its));
        }
    }
}

static void expect_score(oracle *self, double score, float naive, int64_t index) {
    expect(&self->weights, index, score, naive, isnan(score) ? EXPECT_NAN : EXPECT_VALUE);
}

static void expect_weights(oracle *self, const row_position *at, const row_room *room, row_kind kind, int64_t row) {
    if (at->desc->weights == FOVEA_WEIGHTS_MEAN_PROBABILITIES) {
        expect_mean(self, at, room, kind);
        return;
    }
    for (int64_t j = 0; j < at->args->len_kv; j++) {
        const int64_t index = row * at->args->len_kv + j;
        const bool valid = j < at->len_kv;
        switch (at->desc->weights) {
        case FOVEA_WEIGHTS_NONE:
        case FOVEA_WEIGHTS_MEAN_PROBABILITIES:
            break;
        case FOVEA_WEIGHTS_PROBABILITIES:
            expect_probability(self, at, room, kind, index, j);
            break;
        case FOVEA_WEIGHTS_SCALED_SCORES:
            expect_score(self, valid ? room->scaled[j] : -INFINITY, valid ? room->naive_scaled[j] : -INFINITY, index);
            break;
        case FOVEA_WEIGHTS_CAPPED_SCORES:
            expect_score(self, valid ? room->capped[j] : -INFINITY, valid ? room->naive_capped[j] : -INFINITY, index);
            break;
        case FOVEA_WEIGHTS_MASKED_SCORES:
            expect_score(self, valid ? room->final[j] : -INFINITY, valid ? room->naive_final[j] : -INFINITY, index);
            break;
        }
    }
}

static void compute_row(oracle *self, row_position *at, row_room *room, int64_t row) {
    for (int64_t j = 0; j < at->len_kv; j++) {
        room->allowed[j] = is_allowed(at, j);
    }
    at->allowed = room->allowed;
    exact_scores(at, room->scaled, room->capped, room->final);
    measure(self, at, room->final);
    const double lse = exact_softmax(at, room->final, room->p);
    exact_output(at, room->p, room->out);
    naive_scores(at, room->naive_scaled, room->naive_capped, room->naive_final);
    const float naive_lse = naive_softmax(at, room->naive_final, room->naive_p);
    naive_output(at, room->naive_p, room->naive_out);

    const row_kind kind = kind_of_row(at, room->final);
    expect_out(self, at, room, kind, row);
    expect_lse(self, kind, lse, naive_lse, row);
    if (self->weights.count > 0) {
        expect_weights(self, at, room, kind, row);
    }
}

static void leave_untouched(oracle *self, const row_position *at, int64_t row) {
    for (int64_t d = 0; d < at->desc->head_dim_v; d++) {
        expect(&self->out, row * at->desc->head_dim_v + d, 0, 0, EXPECT_UNTOUCHED);
    }
    expect(&self->lse, row, 0, 0, EXPECT_UNTOUCHED);
}

bool oracle_has_row(const oracle *self, const fovea_attention_args *args, int64_t row) {
    return row % self->row_step == 0 || row == args->len_q - 1;
}

static oracle create_wide(const fovea_attention_desc *desc, const fovea_attention_args *args, int64_t row_step) {
    const int64_t outer = desc->form_q == FOVEA_FORM_PACKED ? 1 : desc->batch;
    const int64_t rows = outer * desc->heads_q * args->len_q;
    const int64_t weights_rows =
        desc->weights == FOVEA_WEIGHTS_MEAN_PROBABILITIES && desc->heads_q > 0 ? rows / desc->heads_q : rows;
    oracle self = {
        .out = expected_create(rows * desc->head_dim_v),
        .lse = expected_create(rows),
        .weights = expected_create(desc->weights == FOVEA_WEIGHTS_NONE ? 0 : weights_rows * args->len_kv),
        .row_step = row_step,
    };
    row_room room = room_create(args->len_kv, desc->head_dim_v);
    for (int64_t row = 0; row < rows; row++) {
        const int64_t i = row % args->len_q;
        const int64_t head = row / args->len_q;
        row_position at = place_row(desc, args, head / desc->heads_q, head % desc->heads_q, i);
        if (at.len_q == 0) {
            leave_untouched(&self, &at, row);
        } else if (oracle_has_row(&self, args, i)) {
            place_keys(&at);
            compute_row(&self, &at, &room, row);
        }
    }
    room_destroy(&room);
    return self;
}

oracle oracle_create(const fovea_attention_desc *desc, const fovea_attention_args *args, int64_t row_step) {
    widened wide = widened_create(desc, args);
    const oracle self = create_wide(&wide.desc, &wide.args, row_step);
    widened_destroy(&wide);
    return self;
}

void oracle_destroy(oracle *self) {
    expected_destroy(&self->out);
    expected_destroy(&self->lse);
    expected_destroy(&self->weights);
}

double oracle_naive_error(const expected *result) {
    double largest = 0;
    for (int64_t i = 0; i < result->count; i++) {
        const double error = fabs((double)result->naive[i] - result->value[i]);
        if (result->kind[i] == EXPECT_VALUE && isfinite(error) && error > largest) {
            largest = error;
        }
    }
    return largest;
}

double oracle_out_tolerance(const oracle *self) {
    return fmax(1e-6 * self->max_v * fmax(1, self->size / 16), 2 * oracle_naive_error(&self->out));
}

double oracle_lse_tolerance(const oracle *self) {
    return 1e-6 * fmax(1, fmax(self->size, self->max_sink));
}

double oracle_weights_tolerance(const oracle *self, fovea_weights kind) {
    const bool probabilities = kind == FOVEA_WEIGHTS_PROBABILITIES || kind == FOVEA_WEIGHTS_MEAN_PROBABILITIES;
    return fmax(1e-6 * fmax(1, probabilities ? self->size / 16 : self->size_shown),
                2 * oracle_naive_error(&self->weights));
}
