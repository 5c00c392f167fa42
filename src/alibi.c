#include "src/alibi.h"

#include "src/terms.h"

void fv_alibi_of_lanes(const fv_head *head, int64_t first_lane, int32_t lanes, int64_t key, fv_alibi *alibi) {
    const int64_t *strides = head->args->alibi_strides;
    const int64_t group = head->plan->geometry.group;
    const float *slopes = head->args->alibi_slopes + head->batch * strides[0] + head->head_kv * group * strides[1];
    for (int32_t lane = 0; lane < FV_MAX_LANES; lane++)
        alibi->slope[lane] = alibi->diagonal[lane] = 0.0f;
    for (int32_t lane = 0; lane < lanes; lane++) {
        alibi->slope[lane] = fv_term(slopes[(first_lane + lane) % group * strides[1]], head->plan->term_factor);
        /* Rounded once, after the difference: keys near the diagonal are at their exact distance. */
        const int64_t row = (first_lane + lane) / group;
        alibi->diagonal[lane] = (float)(row + head->sequence->offset - key);
    }
}
