#include "src/scores.h"

#include "src/alibi.h"
#include "src/pairs.h"
#include "src/terms.h"

static const float zeros[FV_MAX_LANES] __attribute__((aligned(FV_ALIGNMENT)));

static const fv_panel_kernels *kernels_of(const fv_head *head) {
    return head->plan->backend->panel;
}

void fv_score_segment(const fv_head *head, const fv_panel *panel, const fv_scratch *scratch, int64_t block_begin,
                      const fv_segment *segment, const float *start, float *peak, int32_t exp) {
    start = start ? start : zeros;
    if (fv_uses_pairs(head, panel)) {
        if (exp)
            fv_pairs_score_exp(head, panel, scratch, block_begin, segment, start, peak);
        else
            fv_pairs_score(head, panel, scratch, block_begin, segment, start, peak);
        return;
    }
    int32_t first_lane = segment->vector_begin * kernels_of(head)->lanes;
    const fv_score_args args = {
        .k = fv_row(&head->k, block_begin + segment->key_begin),
        .k_stride = head->k.stride,
        .keys = segment->key_end - segment->key_begin,
        .head_dim = head->plan->desc.head_dim,
        .q = panel->q + first_lane,
        .ld = panel->ld,
        .vectors = segment->vector_end - segment->vector_begin,
        .start = start + first_lane,
        .s = scratch->s + (int64_t)segment->key_begin * panel->ld + first_lane,
        .peak = peak ? peak + first_lane : NULL,
        .ahead = head->ahead,
        .lines = head->lines,
    };
    const fv_panel_kernels *kernels = kernels_of(head);
    if (!exp)
        kernels->scores(&args);
    else if (head->plan->exp == FV_EXP_FUSED)
        kernels->scores_exp(&args);
    else
        kernels->scores_exp_sleef(&args);
}

float *fv_segment_scores(const fv_head *head, const fv_panel *panel, float *s, const fv_segment *segment) {
    return s + (int64_t)segment->key_begin * panel->ld + segment->vector_begin * kernels_of(head)->lanes;
}

void fv_mask_segment(const fv_head *head, const fv_panel *panel, const fv_scratch *scratch, const fv_visible *visible,
                     const fv_segment *segment, float *peak) {
    int32_t first_lane = segment->vector_begin * kernels_of(head)->lanes;
    kernels_of(head)->mask_lanes(scratch->s + first_lane, panel->ld, segment->vector_end - segment->vector_begin,
                                 segment->key_begin, segment->key_end, visible->begin + first_lane,
                                 visible->end + first_lane, peak ? peak + first_lane : NULL);
}

static void lower_by_distance(const fv_head *head, const fv_panel *panel, const fv_scratch *scratch, int64_t key_begin,
                              const fv_segment *segment, float *peak) {
    const int32_t first = segment->vector_begin * kernels_of(head)->lanes;
    fv_alibi alibi;
    fv_alibi_of_lanes(head, panel->first_lane, panel->lanes, key_begin + segment->key_begin, &alibi);
    kernels_of(head)->alibi(fv_segment_scores(head, panel, scratch->s, segment), panel->ld,
                            segment->vector_end - segment->vector_begin, segment->key_end - segment->key_begin,
                            alibi.slope + first, alibi.diagonal + first, peak ? peak + first : NULL);
}

/* Raises the peak, if it is wanted, to the segment's scores. */
static void see_peaks(const fv_head *head, const fv_panel *panel, const fv_scratch *scratch, const fv_segment *segment,
                      float *peak) {
    if (peak)
        kernels_of(head)->peaks(fv_segment_scores(head, panel, scratch->s, segment), panel->ld,
                                segment->vector_end - segment->vector_begin, segment->key_end - segment->key_begin,
                                peak + segment->vector_begin * kernels_of(head)->lanes);
}

static void cap_scores(const fv_head *head, const fv_panel *panel, const fv_scratch *scratch, const fv_segment *segment,
                       float *peak) {
    kernels_of(head)->softcap(fv_segment_scores(head, panel, scratch->s, segment), panel->ld,
                              segment->vector_end - segment->vector_begin, segment->key_end - segment->key_begin,
                              head->plan->cap);
    see_peaks(head, panel, scratch, segment, peak);
}

/* Scores of queries that were packed with safe_query_scale, brought to their units. */
static void enlarge_scores(const fv_head *head, const fv_panel *panel, const fv_scratch *scratch,
                           const fv_segment *segment, float *peak) {
    float factor[FV_MAX_LANES] __attribute__((aligned(FV_ALIGNMENT)));
    for (int32_t lane = 0; lane < panel->ld; lane++)
        factor[lane] = head->plan->safe_score_factor;
    kernels_of(head)->rescale(fv_segment_scores(head, panel, scratch->s, segment), panel->ld,
                              segment->vector_end - segment->vector_begin, segment->key_end - segment->key_begin,
                              factor);
    see_peaks(head, panel, scratch, segment, peak);
}

void fv_panel_scores(const fv_head *head, const fv_panel *panel, const fv_scratch *scratch, int64_t key_begin,
                     const fv_visible *visible, float *peak) {
    const fovea_plan *plan = head->plan;
    const int32_t enlarges = panel->safe && plan->safe_score_factor != 1.0f;
    for (int32_t i = 0; i < visible->segment_count; i++) {
        const fv_segment *segment = &visible->segments[i];
        const int32_t has_terms = visible->has_terms[i], is_full = fv_is_full(visible, segment);
        /* The last step tells the peak, since each has the scores in registers. */
        float *of_terms = is_full ? peak : NULL;
        float *of_alibi = has_terms ? NULL : of_terms;
        float *of_cap = plan->has_alibi ? NULL : of_alibi;
        float *of_scores = plan->cap > 0 ? NULL : of_cap;
        fv_score_segment(head, panel, scratch, key_begin, segment, NULL, enlarges ? NULL : of_scores, 0);
        if (enlarges)
            enlarge_scores(head, panel, scratch, segment, of_scores);
        if (plan->cap > 0)
            cap_scores(head, panel, scratch, segment, of_cap);
        if (plan->has_alibi)
            lower_by_distance(head, panel, scratch, key_begin, segment, of_alibi);
        if (has_terms)
            fv_add_terms(head, panel, scratch, key_begin, segment, of_terms);
        if (!is_full)
            fv_mask_segment(head, panel, scratch, visible, segment, peak);
    }
}
