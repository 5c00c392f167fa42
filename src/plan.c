#include "src/plan.h"

#include <float.h>
#include <math.h>
#include <stdio.h>

#include "src/dispatch.h"
#include "src/integer.h"
#include "src/memory.h"
#include "src/status.h"
#include "src/validate.h"
#include "src/workspace.h"

/* Query rows that share one pass over a key block in the cache (where that is copied, perhaps more: copying_lanes in
 * arch/kernel.h), and the memory their packed form may take. */
enum { ITEM_LANES = 384, ITEM_BYTES = 1 << 20 };
/* Keys of a split, for sequences of at most SPLIT_PANELS panels: enough work to outweigh the merge, and enough splits
 * to occupy many cores in long contexts. */
enum { SPLIT_KEYS = 1024, SPLIT_PANELS = 4, SPLIT_LIMIT = 64 };
_Static_assert(SPLIT_KEYS % FV_MAX_KEY_STEP == 0, "a split begins where keys can be interleaved");

/* From here on, tanh(s / softcap) is s / softcap for every score that a dot product of ordinary numbers gives. */
static const float ineffective_softcap = 0x1p100f;

/* The nearest finite float: with an infinite factor, scores of 0 would be NaN. */
static float finite_float(double x) {
    return (float)(x > FLT_MAX ? FLT_MAX : x < -FLT_MAX ? -FLT_MAX : x);
}

static int32_t item_panels(const fovea_attention_desc *desc, int32_t panel_lanes, int64_t most_lanes) {
    int64_t lane_bytes = (desc->head_dim + desc->head_dim_v) * (int64_t)sizeof(float);
    int64_t lanes = fv_min64(ITEM_BYTES / lane_bytes, most_lanes);
    return lanes < panel_lanes ? 1 : (int32_t)(lanes / panel_lanes);
}

/* Pairs scale scores after they are summed. With a smaller factor, a sum beyond f32's range may stand for a score near
 * the others; with this one, two sums next to each other at the end of that range are 150 log2 units apart, so that one
 * beyond it has probability 0. */
static const float least_pair_scale = 0x1p-90f;

/* Panels go through pairs if all inputs are bf16, or may be rounded to it. Weights are probabilities of f32's accuracy.
 */
static const fv_pair_kernels *pair_of(const fovea_attention_desc *desc, const fv_backend *backend, float query_scale) {
    if (query_scale != 0.0f && fabsf(query_scale) < least_pair_scale)
        return NULL;
    const int32_t exact = desc->type_q == FOVEA_BF16 && desc->type_kv == FOVEA_BF16;
    const int32_t rounded = desc->arithmetic == FOVEA_ARITHMETIC_BF16 && desc->type_kv != FOVEA_INT8;
    return (exact || rounded) && desc->weights == FOVEA_WEIGHTS_NONE ? backend->pair : NULL;
}

static void set_tiles(fovea_plan *plan) {
    const fovea_attention_desc *desc = &plan->desc;
    const fv_panel_kernels *panel = plan->backend->panel;
    const fv_pair_kernels *pair = plan->pair;
    const int32_t short_heads = desc->head_dim <= FV_SHORT_HEAD && desc->head_dim_v <= FV_SHORT_HEAD;
    const int32_t general = pair ? pair->key_block : panel->key_block;
    const int32_t shorter = pair ? pair->key_block_short : panel->key_block_short;
    const int32_t single = pair ? 0 : panel->key_block_single;
    const int32_t long_heads = desc->head_dim > FV_LONG_HEAD || desc->head_dim_v > FV_LONG_HEAD;
    plan->key_block = short_heads ? shorter : general;
    plan->key_block_single = single == 0 ? plan->key_block : long_heads ? single / 2 : single;
    plan->tile_keys = pair ? pair->tile_keys : panel->tile_keys;
    plan->key_step = pair ? pair->key_step : 1;
}

static fv_geometry geometry_of(const fovea_attention_desc *desc, const fv_panel_kernels *panel,
                               const fv_pair_kernels *pair) {
    int32_t panel_lanes = panel->lanes * panel->vectors;
    int32_t copying_lanes = pair || panel->copying_lanes < ITEM_LANES ? ITEM_LANES : panel->copying_lanes;
    return (fv_geometry){
        .batch = desc->batch,
        .heads_kv = desc->heads_kv,
        .group = desc->heads_kv ? desc->heads_q / desc->heads_kv : 0,
        .packed_q = desc->form_q == FOVEA_FORM_PACKED,
        .packed_kv = desc->form_kv == FOVEA_FORM_PACKED,
        .band = fv_band_of(desc),
        .panel_lanes = panel_lanes,
        /* The mean over heads takes the sums of panels. */
        .row_lanes = desc->weights == FOVEA_WEIGHTS_MEAN_PROBABILITIES ? 0 : FV_MAX_ROWS,
        .item_panels = item_panels(desc, panel_lanes, ITEM_LANES),
        .copying_item_panels = item_panels(desc, panel_lanes, copying_lanes),
        .split_keys = SPLIT_KEYS,
        /* Weights need the final log-sum-exp, so that their keys stay with one item. */
        .split_limit = SPLIT_LIMIT,
        .split_panels = desc->weights ? 0 : SPLIT_PANELS,
    };
}

/* Results and probabilities of 16 bits lose nothing to the polynomial's error. */
static fv_exp exp_of(const fovea_attention_desc *desc, const fv_pair_kernels *pair) {
    const int32_t narrow = desc->type_out != FOVEA_F32 || pair != NULL;
    return desc->exp == FOVEA_EXP_FUSED || (desc->exp == FOVEA_EXP_DEFAULT && narrow) ? FV_EXP_FUSED : FV_EXP_SLEEF;
}

/* Probabilities that are rounded to bf16 need no better one, but the log-sum-exp is of f32's accuracy. */
static fv_exp pair_exp_of(const fovea_attention_desc *desc, fv_exp exp) {
    return exp == FV_EXP_FUSED && (desc->outputs & FOVEA_OUTPUT_LSE) == 0 ? FV_EXP_COARSE : exp;
}

static void set_query_scales(fovea_plan *plan, double scale) {
    int exponent;
    frexp(scale, &exponent);
    if (exponent < 0)
        exponent = 0;
    if (exponent >= FLT_MAX_EXP)
        exponent = FLT_MAX_EXP - 1;
    plan->query_scale = finite_float(scale);
    plan->safe_query_scale = finite_float(ldexp(scale, -exponent));
    plan->safe_score_factor = (float)ldexp(1, exponent);
}

void fv_plan_scores(fovea_plan *plan, float softcap, float unit) {
    plan->cap = softcap * unit;
    set_query_scales(plan, plan->cap > 0 ? (double)plan->desc.scale / softcap : plan->desc.scale * (double)unit);
    plan->term_factor = unit;
}

/* Plans a valid descriptor, plan->desc, on plan->backend. */
static fovea_status decide(fovea_plan *plan) {
    const fovea_attention_desc *d = &plan->desc;
    plan->allocator = d->allocator ? *d->allocator : fv_malloc_allocator;
    plan->desc.allocator = NULL;
    if (d->arithmetic == FOVEA_ARITHMETIC_BF16 && plan->backend->pair == NULL)
        return fv_fail(FOVEA_UNSUPPORTED, "arithmetic: the backend %s has no bf16 arithmetic", plan->backend->name);
    fv_plan_scores(plan, d->softcap < ineffective_softcap ? d->softcap : 0.0f, FV_LOG2_E);
    plan->pair = pair_of(d, plan->backend, plan->query_scale);
    set_tiles(plan);
    plan->geometry = geometry_of(d, plan->backend->panel, plan->pair);
    plan->exp = exp_of(d, plan->pair);
    plan->pair_exp = pair_exp_of(d, plan->exp);
    plan->has_score_terms = (d->inputs & (FOVEA_INPUT_MASK | FOVEA_INPUT_BIAS)) != 0;
    plan->has_sinks = (d->inputs & FOVEA_INPUT_SINKS) != 0;
    plan->has_alibi = (d->inputs & FOVEA_INPUT_ALIBI) != 0;
    plan->two_pass = plan->has_score_terms || plan->has_alibi || plan->cap > 0 || d->weights != FOVEA_WEIGHTS_NONE;
    return FOVEA_OK;
}

fovea_status fv_plan_init_on(const fovea_attention_desc *desc, const fv_backend *backend, fovea_plan *plan) {
    *plan = (fovea_plan){.backend = backend};
    fovea_status status = fv_validate_desc(desc, &plan->desc);
    return status == FOVEA_OK ? decide(plan) : status;
}

fovea_status fv_plan_init(const fovea_attention_desc *desc, fovea_plan *plan) {
    *plan = (fovea_plan){0};
    fovea_status status = fv_validate_desc(desc, &plan->desc);
    if (status == FOVEA_OK)
        status = fv_dispatch(plan->desc.isa_cap, &plan->backend);
    return status == FOVEA_OK ? decide(plan) : status;
}

fovea_status fovea_plan_create(const fovea_attention_desc *desc, fovea_plan **plan) {
    if (plan == NULL)
        return fv_fail(FOVEA_INVALID, "plan is NULL");
    *plan = NULL;
    fovea_plan made;
    fovea_status status = fv_plan_init(desc, &made);
    if (status != FOVEA_OK)
        return status;
    *plan = fv_allocate(&made.allocator, sizeof **plan);
    if (*plan == NULL)
        return fv_fail(FOVEA_OUT_OF_MEMORY, "no memory for the plan (%zu bytes)", sizeof **plan);
    **plan = made;
    return FOVEA_OK;
}

void fovea_plan_destroy(fovea_plan *plan) {
    if (plan == NULL)
        return;
    fovea_allocator allocator = plan->allocator;
    fv_release(&allocator, plan, sizeof *plan);
}

size_t fovea_plan_workspace_size(const fovea_plan *plan, int32_t concurrency) {
    if (plan == NULL || concurrency < 1)
        return 0;
    return fv_workspace_capacity(plan, concurrency);
}

size_t fovea_plan_describe(const fovea_plan *plan, char *text, size_t size) {
    if (plan == NULL)
        return 0;
    const fv_geometry *g = &plan->geometry;
    const fv_panel_kernels *panel = plan->backend->panel;
    int rows = plan->desc.len_q * g->group <= g->row_lanes;
    char splits[64] = "no splits";
    if (g->split_panels > 0)
        snprintf(splits, sizeof splits, "splits of %lld keys or more up to %d lanes", (long long)g->split_keys,
                 (int)(g->split_panels * g->panel_lanes));
    int length = snprintf(
        text, size,
        "backend %s; %s kernels at full capacity (rows up to %d lanes, else panels); panel %d lanes "
        "(%d vectors of %d), %s, blocks of %d keys (%d for a sequence of one panel), items of up to "
        "%d panels (%d if they copy keys and values); %s; softmax %s, exp2 %s",
        plan->backend->name, rows ? "row" : "panel", (int)g->row_lanes, (int)g->panel_lanes, (int)panel->vectors,
        (int)panel->lanes, plan->pair ? "bf16 pairs" : "f32", (int)plan->key_block, (int)plan->key_block_single,
        (int)g->item_panels, (int)g->copying_item_panels, splits,
        plan->two_pass ? "two-pass (softcap, ALiBi, bias, mask or weights)" : "relative to a running reference",
        plan->exp == FV_EXP_FUSED ? "fused polynomial" : "SLEEF u35");
    return length < 0 ? 0 : (size_t)length;
}
