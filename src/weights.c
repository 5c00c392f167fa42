#include "src/weights.h"

#include <math.h>

#include "src/integer.h"
#include "src/scores.h"
#include "src/stage.h"

/* Scores in natural units, up to the step that was asked for. */
static void show_scores(fv_shown *shown) {
    fovea_plan *plan = &shown->plan;
    const int32_t masked = plan->desc.weights == FOVEA_WEIGHTS_MASKED_SCORES;
    const float cap = plan->cap > 0 && plan->desc.weights != FOVEA_WEIGHTS_SCALED_SCORES ? plan->desc.softcap : 0.0f;
    shown->outside = -INFINITY;
    fv_plan_scores(plan, cap, 1.0f);
    if (masked)
        return;
    plan->has_alibi = plan->has_score_terms = 0;
    plan->geometry.band = (fv_band){-FV_FAR, FV_FAR};
    shown->sequence.first_key = 0;
}

void fv_show(const fv_head *head, fv_shown *shown) {
    const fovea_weights weights = head->plan->desc.weights;
    *shown = (fv_shown){.plan = *head->plan, .sequence = *head->sequence, .head = *head};
    shown->head.plan = &shown->plan;
    shown->head.sequence = &shown->sequence;
    shown->is_probability = weights == FOVEA_WEIGHTS_PROBABILITIES || weights == FOVEA_WEIGHTS_MEAN_PROBABILITIES;
    if (!shown->is_probability)
        show_scores(shown);
}

fv_key_range fv_shown_keys(const fv_shown *shown, int64_t first_lane, int64_t lanes) {
    const fv_geometry *geometry = &shown->plan.geometry;
    return fv_visible_keys(&shown->sequence, geometry->band, first_lane / geometry->group,
                           (first_lane + lanes - 1) / geometry->group + 1);
}

float *fv_weights_row(const fv_head *head, int64_t lane) {
    int64_t offset;
    fv_lane_offsets(head, head->args->weights_strides, lane, 1, &offset);
    return head->args->weights + offset;
}

void fv_weights_fill_outside(const fv_shown *shown, float *row, fv_key_range keys) {
    for (int64_t key = 0; key < keys.begin; key++)
        row[key] = shown->outside;
    for (int64_t key = keys.end; key < shown->head.args->len_kv; key++)
        row[key] = shown->outside;
}

/* One run of keys that every lane of the panel treats alike but for its own interval: scores are made for all vectors,
 * so that whole rows can be transposed. */
static void see_all_vectors(const fv_head *head, const fv_panel *panel, int64_t key_begin, int32_t keys,
                            fv_visible *visible) {
    fv_see_block(head, panel->first_lane, panel->lanes, panel->vectors, key_begin, keys, visible);
    if (visible->all_full)
        return;
    visible->full_begin = visible->full_end = 0;
    visible->segments[0] = (fv_segment){0, keys, 0, panel->vectors};
    visible->segment_count = 1;
    visible->has_terms[0] = head->plan->has_score_terms;
}

/* The rest of a lane whose sum is not finite: forbidden positions are 0, though 0 times the factor is not. */
static void clear_forbidden(const fv_panel *panel, const float *s, int32_t lane, int32_t keys, float *row) {
    for (int32_t key = 0; key < keys; key++) {
        float p = s[(int64_t)key * panel->ld + lane];
        if (p == 0.0f && signbit(p))
            row[key] = 0.0f;
    }
}

void fv_panel_shares(const fv_panel *panel, fv_shares *shares) {
    fv_panel_sum_factors(panel, shares->factor);
    shares->ordinary = 1;
    for (int32_t lane = 0; lane < panel->ld; lane++)
        shares->ordinary &= isfinite(shares->factor[lane]) != 0;
}

/* Scores are shown as they are. */
static void whole_shares(fv_shares *shares) {
    shares->ordinary = 1;
    for (int32_t lane = 0; lane < FV_MAX_LANES; lane++)
        shares->factor[lane] = 1.0f;
}

void fv_panel_weights_of_keys(const fv_shown *shown, const fv_panel *panel, const fv_scratch *scratch, int64_t key,
                              int32_t keys, const fv_shares *shares, void *const *rows) {
    const fv_panel_kernels *kernels = shown->plan.backend->panel;
    fv_visible visible;
    see_all_vectors(&shown->head, panel, key, keys, &visible);
    const fv_head staged = fv_stage_keys(&shown->head, (fv_key_range){key, key + keys}, 1, scratch);
    fv_panel_scores(&staged, panel, scratch, key, &visible, NULL);
    if (shown->is_probability)
        kernels->exponentials(scratch->s, panel->ld, panel->vectors, keys, panel->m, shown->plan.exp,
                              !shares->ordinary);
    kernels->unpack(rows, FOVEA_F32, panel->ld, keys, scratch->s, shares->factor);
    for (int32_t lane = 0; !shares->ordinary && lane < panel->lanes; lane++)
        clear_forbidden(panel, scratch->s, lane, keys, rows[lane]);
}

void fv_panel_weights(const fv_head *head, const fv_panel *panel, const fv_scratch *scratch) {
    float *rows[FV_MAX_LANES] = {0};
    void *at[FV_MAX_LANES] = {0};
    fv_shown shown;
    fv_shares shares;
    fv_panel of_weights = *panel;
    fv_show(head, &shown);
    if (shown.is_probability) {
        fv_panel_shares(panel, &shares);
    } else {
        whole_shares(&shares);
        fv_panel_begin(&shown.head, &of_weights, scratch);
    }
    const fv_key_range keys = fv_shown_keys(&shown, panel->first_lane, panel->lanes);
    for (int32_t lane = 0; lane < panel->lanes; lane++) {
        rows[lane] = fv_weights_row(head, panel->first_lane + lane);
        fv_weights_fill_outside(&shown, rows[lane], keys);
    }
    const int32_t block = head->plan->key_block;
    for (int64_t key = keys.begin; key < keys.end; key += block) {
        for (int32_t lane = 0; lane < panel->lanes; lane++)
            at[lane] = rows[lane] + key;
        fv_panel_weights_of_keys(&shown, &of_weights, scratch, key, (int32_t)fv_min64(keys.end - key, block), &shares,
                                 at);
    }
}
