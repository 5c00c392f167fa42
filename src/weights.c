#include "src/weights.h"

#include <math.h>
#include <string.h>

#include "src/integer.h"
#include "src/stage.h"

float *fv_weights_row(const fv_head *head, int64_t lane) {
    int64_t offset;
    fv_lane_offsets(head, head->args->weights_strides, lane, 1, &offset);
    return head->args->weights + offset;
}

void fv_weights_clear_outside(const fv_head *head, float *row, fv_key_range keys) {
    /* Without keys the output may be NULL, which memset does not take. */
    if (head->args->len_kv == 0)
        return;
    memset(row, 0, (size_t)keys.begin * sizeof(float));
    memset(row + keys.end, 0, (size_t)(head->args->len_kv - keys.end) * sizeof(float));
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
}

/* The rest of a lane whose sum is not finite: forbidden positions are 0, though 0 times the factor is not. */
static void clear_forbidden(const fv_panel *panel, const float *s, int32_t lane, int32_t keys, float *row) {
    for (int32_t key = 0; key < keys; key++) {
        float p = s[(int64_t)key * panel->ld + lane];
        if (p == 0.0f && signbit(p))
            row[key] = 0.0f;
    }
}

void fv_panel_weights(const fv_head *head, const fv_panel *panel, const fv_scratch *scratch) {
    const fv_panel_kernels *kernels = head->plan->backend->panel;
    float factor[FV_MAX_LANES] __attribute__((aligned(FV_ALIGNMENT)));
    float *rows[FV_MAX_LANES] = {0};
    int32_t ordinary = 1;
    fv_panel_sum_factors(panel, factor);
    for (int32_t lane = 0; lane < panel->ld; lane++)
        ordinary &= isfinite(factor[lane]) != 0;
    for (int32_t lane = 0; lane < panel->lanes; lane++)
        fv_weights_clear_outside(head, fv_weights_row(head, panel->first_lane + lane), panel->keys);

    int32_t block = head->plan->key_block;
    for (int64_t key = panel->keys.begin; key < panel->keys.end; key += block) {
        int32_t keys = (int32_t)fv_min64(panel->keys.end - key, block);
        fv_visible visible;
        see_all_vectors(head, panel, key, keys, &visible);
        fv_head staged = fv_stage_keys(head, (fv_key_range){key, key + keys}, 1, scratch);
        fv_panel_scores(&staged, panel, scratch, key, keys, &visible);
        kernels->exponentials(scratch->s, panel->ld, panel->vectors, keys, panel->m, head->plan->exp, !ordinary);
        for (int32_t lane = 0; lane < panel->lanes; lane++)
            rows[lane] = fv_weights_row(head, panel->first_lane + lane) + key;
        kernels->unpack(rows, panel->ld, keys, scratch->s, factor);
        for (int32_t lane = 0; !ordinary && lane < panel->lanes; lane++)
            clear_forbidden(panel, scratch->s, lane, keys, rows[lane]);
    }
}
