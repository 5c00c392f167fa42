/* The panel family of every backend that this processor runs, against plain loops: weighted sums of values.
 *
 * Each case is computed in two different arrangements of the same columns (other lanes, other vectors, other row
 * lengths, other divisions of the keys), and must give the same bits: rule 3 of arch/kernel.h. */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "support/backends.h"
#include "support/kernel_case.h"
#include "support/kernel_memory.h"
#include "support/panel_case.h"
#include "support/random.h"

enum { MOST_RUNS = 6 };

/* Runs of keys; a column takes part in a run or not. */
typedef struct value_case {
    int32_t keys, columns, runs;
    int32_t run_begin[MOST_RUNS + 1];
    bool takes_part[MOST_RUNS][FV_MAX_LANES];
    int64_t head_dim_v, v_stride;
    const float *v;
    columns *p, *o, *l;
    int32_t first;
} value_case;

static value_case value_case_random(kernel_memory *memory, const fv_panel_kernels *kernels, bool marked) {
    test_random *random = memory->random;
    value_case c = {
        .keys = random_keys(kernels, random),
        .columns = random_columns(kernels, random),
        .head_dim_v = random_dim(random),
        .runs = (int32_t)random_between(random, 1, MOST_RUNS),
        .first = random_chance(random, 0.5),
    };
    float *v = take_rows(memory, c.keys, c.head_dim_v, 2, &c.v_stride);
    c.p = columns_random((int64_t)c.keys * c.columns, 1, random);
    c.o = columns_random(c.head_dim_v * c.columns, 2, random);
    c.l = columns_random(c.columns, 2, random);
    c.run_begin[c.runs] = c.keys;
    for (int32_t run = c.runs - 1; run > 0; run--) {
        c.run_begin[run] = (int32_t)random_between(random, 0, c.run_begin[run + 1]);
    }
    /* Keys that some columns may see and others not, with values that would show. */
    for (int32_t key = 0; marked && key < c.keys; key++) {
        const bool poisoned = random_chance(random, 0.2);
        if (poisoned) {
            v[key * c.v_stride + random_between(random, 0, c.head_dim_v - 1)] =
                (float[]){NAN, INFINITY, -INFINITY}[random_between(random, 0, 2)];
        }
        for (int32_t column = 0; column < c.columns; column++) {
            if (poisoned || random_chance(random, 0.2)) {
                c.p->data[key * c.columns + column] = -0.0f;
            }
        }
    }
    for (int32_t run = 0; run < c.runs; run++) {
        const double share = random_chance(random, 0.3) ? 1 : 0.4;
        for (int32_t column = 0; column < c.columns; column++) {
            c.takes_part[run][column] = random_chance(random, share);
            for (int32_t key = c.run_begin[run]; key < c.run_begin[run + 1]; key++) {
                float *p = &c.p->data[key * c.columns + column];
                *p = !c.takes_part[run][column] ? (marked ? -0.0f : 0.0f) : *p == 0.0f ? *p : fabsf(*p);
            }
        }
    }
    c.v = v;
    return c;
}

static void value_case_destroy(value_case *c) {
    free(c->p);
    free(c->o);
    free(c->l);
}

/* The vectors that hold columns of a run, widened at random. */
static fv_segment segment_of(const value_case *c, const arrangement *where, int32_t run, test_random *random) {
    fv_segment segment = {c->run_begin[run], c->run_begin[run + 1], where->vectors, 0};
    for (int32_t column = 0; column < c->columns; column++) {
        const int32_t vector = where->place[column] / where->lanes;
        if (c->takes_part[run][column]) {
            segment.vector_begin = vector < segment.vector_begin ? vector : segment.vector_begin;
            segment.vector_end = vector + 1 > segment.vector_end ? vector + 1 : segment.vector_end;
        }
    }
    if (segment.vector_begin > segment.vector_end) {
        segment.vector_begin = segment.vector_end;
    }
    if (segment.vector_begin < segment.vector_end) {
        segment.vector_begin = (int32_t)random_between(random, 0, segment.vector_begin);
        segment.vector_end = (int32_t)random_between(random, segment.vector_end, where->vectors);
    }
    return segment;
}

/* The same case cut into segments in a way of its own: runs may be cut again; those that nobody sees left out. */
static int32_t segments_of(const value_case *c, const arrangement *where, fv_segment *segments, test_random *random) {
    int32_t count = 0;
    for (int32_t run = 0; run < c->runs; run++) {
        fv_segment segment = segment_of(c, where, run, random);
        if (segment.vector_begin == segment.vector_end || segment.key_begin == segment.key_end) {
            continue;
        }
        if (random_chance(random, 0.5)) {
            fv_segment head = segment;
            head.key_end = segment.key_begin = (int32_t)random_between(random, segment.key_begin, segment.key_end);
            segments[count++] = head;
        }
        segments[count++] = segment;
    }
    return count;
}

static bool covers(const fv_segment *segments, int32_t count, int32_t key, int32_t vector) {
    for (int32_t i = 0; i < count; i++) {
        if (key >= segments[i].key_begin && key < segments[i].key_end && vector >= segments[i].vector_begin &&
            vector < segments[i].vector_end) {
            return true;
        }
    }
    return false;
}

static void arrange_values(const value_case *c, const fv_panel_kernels *kernels, bool marked, float *o, float *l,
                           test_random *random) {
    kernel_memory memory = kernel_memory_create(random);
    const arrangement where = arrangement_random(kernels, c->columns, true, random);
    fv_segment segments[2 * MOST_RUNS];
    float *p = take_panel(&memory, &where, c->keys, c->p->data);
    float *panel_o = take_panel(&memory, &where, c->head_dim_v, c->first ? NULL : c->o->data);
    float *panel_l = take_lanes(&memory, &where, c->first ? NULL : c->l->data);
    const fv_value_args args = {
        .v = c->v,
        .v_stride = c->v_stride,
        .head_dim_v = c->head_dim_v,
        .p = p,
        .ld = where.ld,
        .vectors = where.vectors,
        .segments = segments,
        .segment_count = segments_of(c, &where, segments, random),
        .first = c->first,
        .o = panel_o,
        .l = panel_l,
    };
    /* Probabilities outside the segments are not defined. */
    for (int32_t key = 0; key < c->keys; key++) {
        for (int32_t lane = 0; lane < where.ld; lane++) {
            if (!covers(segments, args.segment_count, key, lane / where.lanes)) {
                p[key * where.ld + lane] = NAN;
            }
        }
    }
    (marked ? kernels->values_marked : kernels->values)(&args);
    gather_panel(&where, c->head_dim_v, panel_o, o);
    gather_panel(&where, 1, panel_l, l);
    kernel_memory_end(&memory);
}

/* Sum over keys of p * v for d < head_dim_v, of p for d = head_dim_v; positions of p = 0 take no part. */
static double exact_value(const value_case *c, int64_t d, int32_t column, double *bound) {
    const float *before = d < c->head_dim_v ? &c->o->data[d * c->columns + column] : &c->l->data[column];
    double sum = c->first ? 0 : (double)*before, size = fabs(sum);
    for (int32_t key = 0; key < c->keys; key++) {
        const double p = (double)c->p->data[key * c->columns + column];
        if (p != 0) {
            const double term = d < c->head_dim_v ? p * (double)c->v[key * c->v_stride + d] : p;
            sum += term;
            size += fabs(term);
        }
    }
    *bound = (double)(2 * c->keys + 2) * unit * size;
    return sum;
}

static void check_values_once(const fv_panel_kernels *kernels, bool marked, test_random *random) {
    kernel_memory memory = kernel_memory_create(random);
    value_case c = value_case_random(&memory, kernels, marked);
    columns *o = columns_random(0, 0, random), *again = columns_random(0, 0, random);
    float l[FV_MAX_LANES], other_l[FV_MAX_LANES];
    arrange_values(&c, kernels, marked, o->data, l, random);
    for (int32_t column = 0; column < c.columns; column++) {
        for (int64_t d = 0; d <= c.head_dim_v; d++) {
            double bound;
            const double exact = exact_value(&c, d, column, &bound);
            const float actual = d < c.head_dim_v ? o->data[d * c.columns + column] : l[column];
            ck_assert_msg(is_near(actual, exact, bound),
                          "%s %.9g instead of %.9g (d %d of %d, %d keys, column %d of %d)",
                          d < c.head_dim_v ? "o" : "l", (double)actual, exact, (int)d, (int)c.head_dim_v, (int)c.keys,
                          (int)column, (int)c.columns);
        }
    }
    arrange_values(&c, kernels, marked, again->data, other_l, random);
    ck_assert_msg(same_floats(c.head_dim_v * c.columns, o->data, again->data), "o depends on the arrangement");
    ck_assert_msg(same_floats(c.columns, l, other_l), "l depends on the arrangement");
    free(o);
    free(again);
    value_case_destroy(&c);
    kernel_memory_end(&memory);
}

START_TEST(values_adds_the_weighted_sum_and_the_sum_of_weights) {
    const fv_panel_kernels *kernels = backend_at(_i)->panel;
    test_random random = test_random_named("values", _i);
    for (int64_t i = 0; i < test_scaled(400); i++) {
        check_values_once(kernels, false, &random);
    }
}
END_TEST

START_TEST(values_marked_lets_no_marked_position_take_part) {
    const fv_panel_kernels *kernels = backend_at(_i)->panel;
    test_random random = test_random_named("values_marked", _i);
    for (int64_t i = 0; i < test_scaled(400); i++) {
        check_values_once(kernels, true, &random);
    }
}
END_TEST

START_TEST(a_nan_value_reaches_exactly_the_lanes_that_weigh_it) {
    const fv_panel_kernels *kernels = backend_at(_i)->panel;
    test_random random = test_random_named("nan value", _i);
    enum { KEYS = 9, DIM = 5 };
    const int32_t ld = kernels->lanes;
    kernel_memory memory = kernel_memory_create(&random);
    float *v = take_random(&memory, KEYS * DIM, sizeof(float), 1);
    v[4 * DIM + 2] = NAN;
    const size_t alignment = (size_t)ld * sizeof(float);
    float *p = take_random(&memory, KEYS * (int64_t)ld, alignment, 1);
    for (int32_t lane = 0; lane < ld; lane++) {
        p[4 * ld + lane] = lane % 2 ? 0.5f : -0.0f;
    }
    float *o = take_floats(&memory, DIM * (int64_t)ld, alignment), *l = take_floats(&memory, ld, alignment);
    const fv_segment all = {0, KEYS, 0, 1};
    const fv_value_args args = {v, DIM, DIM, p, ld, 1, &all, 1, 1, o, l, NULL};
    kernels->values_marked(&args);
    for (int32_t lane = 0; lane < ld; lane++) {
        for (int32_t d = 0; d < DIM; d++) {
            ck_assert_int_eq(isnan(o[d * ld + lane]) != 0, d == 2 && lane % 2 == 1);
        }
        ck_assert(isfinite(l[lane]));
    }
    kernels->values(&args);
    ck_assert(isnan(o[2 * ld + 1]));
    kernel_memory_end(&memory);
}
END_TEST

START_TEST(a_nan_probability_takes_part_whatever_its_sign) {
    const fv_panel_kernels *kernels = backend_at(_i)->panel;
    test_random random = test_random_named("nan probability", _i);
    const int32_t ld = kernels->lanes;
    const size_t alignment = (size_t)ld * sizeof(float);
    kernel_memory memory = kernel_memory_create(&random);
    const float *v = take_random(&memory, 3, sizeof(float), 1);
    float *p = take_random(&memory, 3 * (int64_t)ld, alignment, 1), *o = take_floats(&memory, ld, alignment);
    float *l = take_floats(&memory, ld, alignment);
    p[ld] = NAN;
    p[ld + 1] = -NAN;
    const fv_segment all = {0, 3, 0, 1};
    const fv_value_args args = {v, 1, 1, p, ld, 1, &all, 1, 1, o, l, NULL};
    kernels->values_marked(&args);
    for (int32_t lane = 0; lane < ld; lane++) {
        ck_assert_int_eq(isnan(o[lane]) != 0, lane < 2);
        ck_assert_int_eq(isnan(l[lane]) != 0, lane < 2);
    }
    kernel_memory_end(&memory);
}
END_TEST

Suite *panel_values_suite(void);

Suite *panel_values_suite(void) {
    Suite *suite = suite_create("panel values");
    TCase *tcase = tcase_create("every backend");
    ADD_FOR_BACKENDS(tcase, values_adds_the_weighted_sum_and_the_sum_of_weights);
    ADD_FOR_BACKENDS(tcase, values_marked_lets_no_marked_position_take_part);
    ADD_FOR_BACKENDS(tcase, a_nan_value_reaches_exactly_the_lanes_that_weigh_it);
    ADD_FOR_BACKENDS(tcase, a_nan_probability_takes_part_whatever_its_sign);
    suite_add_tcase(suite, tcase);
    return suite;
}
