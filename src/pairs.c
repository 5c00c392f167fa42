#include "src/pairs.h"

#include "src/integer.h"

_Static_assert(FV_PAIR_SUMMED_KEYS % (FV_MAX_KEY_STEP / 2) == 0, "runs begin at multiples of key_step / 2");

static const fv_pair_kernels *kernels_of(const fv_head *head) {
    return head->plan->pair;
}

/* Room of a lane's row in the scratch of the scores, as bf16. */
static uint16_t *narrow_row(const fv_scratch *scratch, int32_t lane) {
    return (uint16_t *)(void *)(scratch->s + (int64_t)lane * FV_MAX_BLOCK);
}

void fv_pairs_pack(const fv_head *head, const fv_panel *panel, const fv_scratch *scratch) {
    const fovea_plan *plan = head->plan;
    const fovea_type type = plan->desc.type_q;
    const int64_t head_dim = plan->desc.head_dim;
    int64_t offsets[FV_MAX_LANES];
    const uint16_t *rows[FV_MAX_LANES] = {0};
    fv_lane_offsets(head, head->args->q_strides, panel->first_lane, panel->lanes, offsets);
    if (type == FOVEA_BF16) {
        for (int32_t lane = 0; lane < panel->lanes; lane++)
            rows[lane] = (const uint16_t *)head->args->q + offsets[lane];
        kernels_of(head)->pack(rows, panel->ld, head_dim, panel->q);
        return;
    }
    /* An even number of columns at a time. */
    for (int64_t d = 0; d < head_dim; d += FV_MAX_BLOCK) {
        int64_t columns = fv_min64(head_dim - d, FV_MAX_BLOCK);
        for (int32_t lane = 0; lane < panel->lanes; lane++) {
            fv_to_bf16(plan->backend->convert, type, fv_element(head->args->q, type, offsets[lane] + d), columns,
                       narrow_row(scratch, lane));
            rows[lane] = narrow_row(scratch, lane);
        }
        kernels_of(head)->pack(rows, panel->ld, columns, panel->q + d / 2 * panel->ld);
    }
}

static int32_t first_lane(const fv_head *head, const fv_segment *segment) {
    return segment->vector_begin * kernels_of(head)->lanes;
}

static float *scores_of(const fv_head *head, const fv_panel *panel, const fv_scratch *scratch,
                        const fv_segment *segment) {
    return scratch->s + (int64_t)segment->key_begin * panel->ld + first_lane(head, segment);
}

static float *pairs_of(const fv_head *head, const fv_panel *panel, const fv_scratch *scratch,
                       const fv_segment *segment) {
    return scratch->p + (int64_t)segment->key_begin / 2 * panel->ld + first_lane(head, segment);
}

static float *sum_of(const fv_panel *panel, const fv_scratch *scratch, int32_t key) {
    return scratch->sum + (int64_t)(key / FV_PAIR_SUMMED_KEYS) * panel->ld;
}

/* The part of a segment from `key` to the end of the group of keys that are summed together. */
static fv_segment part_of(const fv_segment *segment, int32_t key) {
    const int32_t group_end = key - key % FV_PAIR_SUMMED_KEYS + FV_PAIR_SUMMED_KEYS;
    fv_segment part = *segment;
    part.key_begin = key;
    part.key_end = group_end < segment->key_end ? group_end : segment->key_end;
    return part;
}

static fv_score_args score_args(const fv_head *head, const fv_panel *panel, const fv_scratch *scratch,
                                int64_t block_begin, const fv_segment *segment, const float *start, float *peak) {
    const int32_t lane = first_lane(head, segment);
    return (fv_score_args){
        .k = fv_row(&head->k, block_begin + segment->key_begin),
        .k_stride = head->k.stride,
        .keys = segment->key_end - segment->key_begin,
        .head_dim = head->plan->desc.head_dim,
        .q = panel->q + lane,
        .ld = panel->ld,
        .vectors = segment->vector_end - segment->vector_begin,
        .start = start + lane,
        .s = scores_of(head, panel, scratch, segment),
        .peak = peak ? peak + lane : NULL,
        .ahead = head->ahead,
        .lines = head->lines,
        .scale = head->plan->query_scale,
    };
}

void fv_pairs_score(const fv_head *head, const fv_panel *panel, const fv_scratch *scratch, int64_t block_begin,
                    const fv_segment *segment, const float *start, float *peak) {
    const fv_score_args args = score_args(head, panel, scratch, block_begin, segment, start, peak);
    kernels_of(head)->scores(&args);
}

void fv_pairs_score_exp(const fv_head *head, const fv_panel *panel, const fv_scratch *scratch, int64_t block_begin,
                        const fv_segment *segment, const float *start, float *peak) {
    for (int32_t key = segment->key_begin; key < segment->key_end;) {
        const fv_segment part = part_of(segment, key);
        fv_score_args args = score_args(head, panel, scratch, block_begin, &part, start, peak);
        args.s = pairs_of(head, panel, scratch, &part);
        args.sum = sum_of(panel, scratch, key) + first_lane(head, &part);
        if (head->plan->pair_exp == FV_EXP_COARSE)
            kernels_of(head)->scores_exp_coarse(&args);
        else
            kernels_of(head)->scores_exp(&args);
        key = part.key_end;
    }
}

void fv_pairs_begin_sums(const fv_panel *panel, const fv_scratch *scratch) {
    for (int32_t i = 0; i < FV_PAIR_SUMS * panel->ld; i++)
        scratch->sum[i] = 0.0f;
}

void fv_pairs_exponentiate(const fv_head *head, const fv_panel *panel, const fv_scratch *scratch,
                           const fv_segment *segment, const float *shift) {
    const int32_t lane = first_lane(head, segment);
    for (int32_t key = segment->key_begin; key < segment->key_end;) {
        const fv_segment part = part_of(segment, key);
        kernels_of(head)->probabilities(scores_of(head, panel, scratch, &part), panel->ld,
                                        part.vector_end - part.vector_begin, part.key_end - part.key_begin,
                                        shift ? shift + lane : NULL, head->plan->pair_exp,
                                        pairs_of(head, panel, scratch, &part), sum_of(panel, scratch, key) + lane);
        key = part.key_end;
    }
}

static float block_sum(const fv_panel *panel, const fv_scratch *scratch, int32_t lane) {
    float sum = scratch->sum[lane];
    for (int32_t group = 1; group < FV_PAIR_SUMS; group++)
        sum += scratch->sum[group * panel->ld + lane];
    return sum;
}

void fv_pairs_weigh(const fv_head *head, const fv_panel *panel, const fv_scratch *scratch, int64_t block_begin,
                    const fv_visible *visible) {
    fv_segment segments[FV_MAX_SEGMENTS];
    for (int32_t i = 0; i < visible->segment_count; i++) {
        segments[i] = visible->segments[i];
        segments[i].key_begin /= 2;
        segments[i].key_end = (segments[i].key_end + 1) / 2;
    }
    const fv_value_args args = {
        .v = fv_row(&head->v, block_begin / head->plan->key_step),
        .v_stride = head->v.stride,
        .head_dim_v = head->plan->desc.head_dim_v,
        .p = scratch->p,
        .ld = panel->ld,
        .vectors = panel->vectors,
        .segments = segments,
        .segment_count = visible->segment_count,
        .first = panel->summed == 0,
        .o = panel->o,
        .lines = head->lines,
    };
    kernels_of(head)->values(&args);
    for (int32_t lane = 0; lane < panel->ld; lane++) {
        const float sum = block_sum(panel, scratch, lane);
        panel->l[lane] = panel->summed > 0 ? panel->l[lane] + sum : sum;
    }
}
