#include "prefix_case.h"

#include <math.h>
#include <string.h>

#include "arch/kernel.h"
#include "turned.h"

problem_spec prefix_random(test_random *random, int64_t largest, fovea_isa isa, fovea_exp exp) {
    problem_spec spec = problem_random(random, largest, isa, exp);
    spec.inputs &= ~(uint32_t)FOVEA_INPUT_ALIBI;
    spec.has_window_left = spec.has_window_right = 0;
    spec.weights = FOVEA_WEIGHTS_NONE;
    spec.hostile = 0;
    spec.form = CALL_ONCE;
    return spec;
}

/* --- Making a call --- */

static tensor shared_rows(const problem *own, fovea_type type, int64_t len, int64_t count, float range,
                          test_random *random) {
    tensor self = tensor_of_type(type, 1, own->spec.heads_kv, len, count, LAYOUT_BSHD, own->spec.side);
    tensor_fill_random(&self, random, range);
    return self;
}

prefix_case prefix_create(const problem_spec *spec, int64_t shared) {
    const fovea_type type = spec->type_kv;
    const bool quantised = type == FOVEA_INT8;
    test_random random = test_random_seeded(spec->seed);
    prefix_case self = {.own = problem_create(spec)};
    self.k = shared_rows(self.own, type, shared, spec->head_dim, quantised ? 127 : 1, &random);
    self.v = shared_rows(self.own, type, shared, spec->head_dim_v, quantised ? 127 : 1, &random);
    fovea_prefix_args *prefix = &self.prefix;
    *prefix = (fovea_prefix_args){.struct_size = sizeof *prefix, .len = shared, .k = self.k.origin, .v = self.v.origin};
    memcpy(prefix->k_strides, self.k.strides + 1, sizeof prefix->k_strides);
    memcpy(prefix->v_strides, self.v.strides + 1, sizeof prefix->v_strides);
    if (quantised) {
        self.k_scales = shared_rows(self.own, FOVEA_F32, shared, 1, 1.0f / 127, &random);
        self.v_scales = shared_rows(self.own, FOVEA_F32, shared, 1, 1.0f / 127, &random);
        prefix->k_scales = self.k_scales.origin;
        prefix->v_scales = self.v_scales.origin;
        memcpy(prefix->k_scale_strides, self.k_scales.strides + 1, sizeof prefix->k_scale_strides);
        memcpy(prefix->v_scale_strides, self.v_scales.strides + 1, sizeof prefix->v_scale_strides);
    }
    return self;
}

void prefix_destroy(prefix_case *self) {
    tensor *const all[] = {&self->k, &self->v, &self->k_scales, &self->v_scales};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        guarded_destroy(&all[i]->memory);
    }
    problem_destroy(self->own);
}

fovea_status prefix_attend(prefix_case *self) {
    problem *own = self->own;
    return fovea_attention_prefix(&own->desc, &own->args, &self->prefix, test_executor_get(&own->executor));
}

/* --- The oracle --- */

/* Every row of queries against the shared keys, as a plain dense call: what it must give. */
static oracle oracle_of_shared(const prefix_case *self) {
    const problem *own = self->own;
    const fovea_prefix_args *prefix = &self->prefix;
    fovea_attention_desc desc = own->desc;
    fovea_attention_args args = {
        .struct_size = sizeof args, .len_q = own->args.len_q, .len_kv = prefix->len, .q = own->args.q};
    desc.batch = own->q.size[0];
    desc.len_kv = prefix->len;
    desc.form_q = desc.form_kv = FOVEA_FORM_DENSE;
    desc.page_size = 0;
    desc.diagonal = FOVEA_DIAGONAL_TOP_LEFT;
    desc.causal = 0;
    desc.inputs = 0;
    args.k = prefix->k;
    args.v = prefix->v;
    args.k_scales = prefix->k_scales;
    args.v_scales = prefix->v_scales;
    memcpy(args.q_strides, own->args.q_strides, sizeof args.q_strides);
    memcpy(args.k_strides + 1, prefix->k_strides, sizeof prefix->k_strides);
    memcpy(args.v_strides + 1, prefix->v_strides, sizeof prefix->v_strides);
    memcpy(args.k_scale_strides + 1, prefix->k_scale_strides, sizeof prefix->k_scale_strides);
    memcpy(args.v_scale_strides + 1, prefix->v_scale_strides, sizeof prefix->v_scale_strides);
    return oracle_create(&desc, &args, 1);
}

/* What merging in f32 may add, relative to the largest value. */
static const double merge_rounding = 1e-6;

typedef struct whole {
    oracle shared, own;
    double out_tolerance, lse_tolerance;
} whole;

/* With weights w and 1 - w of the parts, w = 1 / (1 + exp(lse_own - lse_shared)), an output is off by no more than the
 * worse part and, as w changes by a quarter of what the log-sum-exps are off by at most, half of those times the
 * largest value. */
static whole whole_create(const prefix_case *self) {
    const problem *own = self->own;
    const double slack = (double)own->spec.slack;
    /* The shared keys are computed by panels, and so by pairs, however few rows there are. */
    problem of_panels = *own;
    of_panels.spec.len_q = FV_MAX_ROWS + 1;
    whole result = {.shared = oracle_of_shared(self), .own = oracle_create(&own->desc, &own->args, 1)};
    const double max_v = fmax(result.shared.max_v, result.own.max_v);
    const double lse[2] = {problem_lse_tolerance(&of_panels, &result.shared), problem_lse_tolerance(own, &result.own)};
    const double out[2] = {problem_out_tolerance(&of_panels, &result.shared), problem_out_tolerance(own, &result.own)};
    result.out_tolerance = slack * (fmax(out[0], out[1]) + (lse[0] + lse[1]) / 2 * max_v) + merge_rounding * max_v;
    result.lse_tolerance = slack * fmax(lse[0], lse[1]);
    return result;
}

/* A row's log-sum-exp, and the share of the sequence's own keys in its outputs. */
typedef struct merged_row {
    double lse, share_of_own;
} merged_row;

static merged_row merge_row(double of_shared, double of_own) {
    const double largest = fmax(of_shared, of_own);
    if (largest == -(double)INFINITY) {
        return (merged_row){largest, 0};
    }
    const double lse = largest + log1p(exp(-fabs(of_shared - of_own)));
    return (merged_row){lse, exp(of_own - lse)};
}

static void compare_lse(const prefix_case *self, const whole *truth, int64_t row, double actual, double lse) {
    const double tolerance = truth->lse_tolerance + merge_rounding * fmax(1, fabs(lse));
    if (actual != lse && !(fabs(actual - lse) <= tolerance)) {
        problem_fail(self->own, "lse of row %lld = %.9g instead of %.9g, tolerance %.3g", (long long)row, actual, lse,
                     tolerance);
    }
}

void prefix_compare(const prefix_case *self) {
    const problem *own = self->own;
    const fovea_type type = own->spec.type_out;
    whole truth = whole_create(self);
    int64_t index = 0;
    FOR_EACH(&own->out, b, h, i, d) {
        const int64_t row = index / own->out.size[3];
        const bool untouched = truth.own.out.kind[index] == EXPECT_UNTOUCHED;
        if (tensor_is_unwritten(&own->out, tensor_element(&own->out, b, h, i, d)) != untouched) {
            problem_fail(own, "out[%d, %d, %d, %d] was %swritten", (int)b, (int)h, (int)i, (int)d,
                         untouched ? "" : "not ");
        }
        const merged_row merged = merge_row(truth.shared.lse.value[row], truth.own.lse.value[row]);
        const double wanted = (1 - merged.share_of_own) * truth.shared.out.value[index] +
                              merged.share_of_own * truth.own.out.value[index];
        const double actual = tensor_get(&own->out, b, h, i, d);
        const double allowed = truth.out_tolerance + (type == FOVEA_F32 ? 0 : turned_rounding(type, wanted));
        if (!untouched && !(fabs(actual - wanted) <= allowed)) {
            problem_fail(own, "out[%d, %d, %d, %d] = %.9g instead of %.9g, tolerance %.3g; %lld keys are shared",
                         (int)b, (int)h, (int)i, (int)d, actual, wanted, allowed, (long long)self->prefix.len);
        }
        if (!untouched && d == 0 && (own->spec.outputs & FOVEA_OUTPUT_LSE)) {
            compare_lse(self, &truth, row, tensor_get(&own->lse, b, h, i, 0), merged.lse);
        }
        index++;
    }
    oracle_destroy(&truth.shared);
    oracle_destroy(&truth.own);
}
