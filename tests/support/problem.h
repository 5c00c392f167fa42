/* Whole attention calls as specifications: fill in a problem_spec, and problem_check() builds it in guarded memory,
 * runs it and compares every element with the oracle. A failure prints the specification as C, ready to become a test:
 *
 *     problem_check(&PROBLEM(.len_q = 3, .len_kv = 70, .causal = 1));
 */
#ifndef FOVEA_TESTS_PROBLEM_H
#define FOVEA_TESTS_PROBLEM_H

#include <stdbool.h>
#include <stdint.h>

#include "executors.h"
#include "fovea/attention.h"
#include "guard.h"
#include "oracle.h"
#include "random.h"
#include "tensor.h"

/* How the call is made. */
typedef enum call_form {
    /* fovea_attention. */
    CALL_ONCE,
    /* fovea_plan_create, fovea_execute without a workspace, fovea_plan_destroy. */
    CALL_PLAN,
    /* The same with an exact workspace, misaligned by one byte. */
    CALL_WORKSPACE
} call_form;

/* Axes of mask and bias that are broadcast (stride 0). */
enum { BROADCAST_BATCH = 1, BROADCAST_HEADS = 2, BROADCAST_ROWS = 4, BROADCAST_KEYS = 8 };

/* Everything that a problem depends on: zero is a default, except where PROBLEM sets another one. */
typedef struct problem_spec {
    /* Seed of all values. */
    uint64_t seed;
    int64_t batch, heads_q, heads_kv, len_q, len_kv, head_dim, head_dim_v;
    /* Added to the lengths to give the plan's capacities. */
    int64_t spare_q, spare_kv;
    /* Factor of random queries: the spread of scores. Factor of random values. */
    float query_range, value_range;
    float scale;
    int32_t has_scale;
    float softcap;
    fovea_diagonal diagonal;
    /* Query offsets are drawn around this one. */
    int64_t query_offset;
    int32_t causal;
    int32_t has_window_left, has_window_right;
    int64_t window_left, window_right;
    fovea_index_type type_index;
    /* Packed: len_q, len_kv are of all sequences together, which the seed cuts them into; with cut_alike, queries as
     * keys. Paged: len_kv and spare_kv are multiples of page_size. */
    fovea_form form_q, form_kv;
    int64_t page_size;
    int32_t cut_alike;
    fovea_type type_q, type_kv, type_out, type_bias;
    uint32_t inputs, outputs;
    fovea_weights weights;
    /* Probability that the mask allows a position, that the bias forbids one. */
    double mask_density, bias_forbids;
    int32_t mask_broadcast, bias_broadcast;
    /* Edges of tiles that mask and bias allow or forbid altogether, or treat as above; 0: no tiles. */
    int32_t mask_tile, bias_tile;
    /* Slopes and sinks are drawn from [-range, range]; slopes differ from one batch entry to the next, or not. */
    float slope_range, sink_range;
    int32_t slopes_shared;
    /* Number of NaN and infinities strewn over k and v (and, by one each, q and bias). */
    int32_t hostile;
    tensor_layout layout_q, layout_k, layout_v, layout_out;
    /* q, k and v are views of one (batch, rows, all heads, columns) buffer; layouts of inputs are ignored. */
    int32_t fused_qkv;
    guard_side side;
    call_form form;
    fovea_isa isa;
    fovea_exp exp;
    fovea_arithmetic arithmetic;
    int32_t threads;
    executor_kind executor;
    int32_t concurrency;
    /* The oracle computes every row_step-th row. */
    int64_t row_step;
    /* Factor of the tolerances. The limits compare maxima over a result; over the few elements of a small one, the
     * naive error that they refer to is a matter of luck. */
    float slack;
} problem_spec;

#define PROBLEM_DEFAULTS                                                                                              \
    .seed = 1, .batch = 1, .heads_q = 1, .heads_kv = 1, .len_q = 1, .len_kv = 1, .head_dim = 32, .head_dim_v = 32,    \
    .query_range = 1, .value_range = 1, .mask_density = 0.7, .slope_range = 0.25f, .sink_range = 2, .concurrency = 2, \
    .row_step = 1, .slack = 2

/* A specification with the given fields; the others have their defaults. An lvalue that lives as long as its block. In
 * a static array: PROBLEM_FIELDS. */
#define PROBLEM(...) ((problem_spec)PROBLEM_FIELDS(__VA_ARGS__))
#define PROBLEM_FIELDS(...) \
    { PROBLEM_DEFAULTS, __VA_ARGS__ }

typedef struct problem {
    problem_spec spec;
    fovea_attention_desc desc;
    fovea_attention_args args;
    test_executor executor;
    /* Paged: pages that the tensors of keys and values hold. */
    int64_t pages;
    /* Panels go through pairs: problem_has_pairs, unless a test says otherwise. */
    bool has_pairs;
    tensor q, k, v, out, mask, bias, lse, weights;
    tensor k_scales, v_scales;
    tensor key_lengths, first_keys, query_offsets, alibi, sinks;
    tensor cu_seqlens_q, cu_seqlens_kv, block_table;
} problem;

/* A copy of the logical contents of every output, for bitwise comparison. */
typedef struct outcome {
    size_t size;
    unsigned char *bytes;
} outcome;

problem *problem_create(const problem_spec *spec);

/* One whose inputs and indices are zeros, for a test to write. Paged: tensors hold so many pages. */
problem *problem_create_blank(const problem_spec *spec, int64_t pages);

void problem_destroy(problem *self);

/* Fills outputs with a pattern that shows what was not written. */
void problem_reset_outputs(problem *self);

/* Runs the call once in the form that the specification says. */
fovea_status problem_run(problem *self);

/* The same by a plan that is there already, of the problem's descriptor or of an equal one. */
fovea_status problem_execute(problem *self, const fovea_plan *plan);

/* As problem_run; anything but FOVEA_OK fails the test. */
void problem_run_ok(problem *self);

/* Fails the test unless all outputs are what the oracle expects and nothing else was written. */
void problem_compare(const problem *self);

/* The same with the oracle of this problem, or of one that differs only in how it is computed. */
void problem_compare_with(const problem *self, const oracle *truth);

/* The problem whose call is running, as C; "" if none is. */
const char *problem_running(void);

/* The largest error that each result may have, where the library rounds to bf16 what the oracle does not. */
double problem_out_tolerance(const problem *self, const oracle *truth);
double problem_lse_tolerance(const problem *self, const oracle *truth);

/* True if a plan of the specification sends panels through pairs of bf16 numbers. */
bool problem_has_pairs(const problem_spec *spec);

/* True of seven problems in eight whose backend extends another and takes nothing but its base's tables for them: the
 * bits are the base's, as tests/test_inherited.c shows, so that an eighth is enough. */
bool problem_repeats_the_base(const problem_spec *spec);

/* Creates, runs, compares, destroys. */
void problem_check(const problem_spec *spec);

/* Fails the test with the specification and the reason. */
void problem_fail(const problem *self, const char *format, ...) __attribute__((format(printf, 2, 3), noreturn));

outcome problem_outcome(const problem *self);
bool outcome_equal(const outcome *a, const outcome *b);
void outcome_destroy(outcome *self);

/* Creates, runs and gives back the outputs. */
outcome problem_solve(const problem_spec *spec);

/* Lets a test write its own values into q, k, v, mask and bias. */
void problem_open_inputs(problem *self);

/* The specification with the backend and the exponential of case `index` (backends.h). */
problem_spec on_case(problem_spec spec, int32_t index);

/* problem_check of PROBLEM(fields...) on case `index`; of those that one place makes, a share (test_takes). */
#define CHECK_ON_CASE(index, ...)                                                   \
    do {                                                                            \
        static int64_t problems_here;                                               \
        if (test_takes(problems_here++, index)) {                                   \
            const problem_spec spec_on_case = on_case(PROBLEM(__VA_ARGS__), index); \
            problem_check(&spec_on_case);                                           \
        }                                                                           \
    } while (0)

/* A random specification with every feature, sizes up to `largest`, on the given backend. */
problem_spec problem_random(test_random *random, int64_t largest, fovea_isa isa, fovea_exp exp);

#endif
