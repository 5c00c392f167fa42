#include "src/alibi.h"

#include "src/terms.h"

void fv_alibi_of_lanes(const fv_head *head, int64_t first_lane, int32_t lanes, int64_t key, fv_alibi *alibi) {
    const fovea_attention_args *args = head->args;
    const int64_t slope_strides[] = {args->alibi_strides[0], args->alibi_strides[1], 0};
    const int64_t group = head->plan->geometry.group;
    int64_t offsets[FV_MAX_LANES];
    fv_lane_offsets(head, slope_strides, first_lane, lanes, offsets);
    for (int32_t lane = 0; lane < FV_MAX_LANES; lane++)
        alibi->slope[lane] = alibi->diagonal[lane] = 0.0f;
    for (int32_t lane = 0; lane < lanes; lane++) {
        alibi->slope[lane] = fv_in_log2_units(args->alibi_slopes[offsets[lane]]);
        /* Rounded once, after the difference: keys near the diagonal are at their exact distance. */
        alibi->diagonal[lane] = (float)((first_lane + lane) / group + head->sequence->offset - key);
    }
}
