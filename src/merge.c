#include "src/merge.h"

/* Parts that one kernel call takes; bounds its 32-bit count. */
enum { STEP = 1 << 20 };

static int32_t step_of(int64_t rest) {
    return rest < STEP ? (int32_t)rest : STEP;
}

void fv_merge_row(const fv_row_kernels *kernels, fv_exp exp, int64_t parts, float *m, const float *l, const float *o,
                  int64_t o_distance, int64_t count, float *out, float *m_out, float *l_out) {
    float reference = FV_NO_SCORE;
    for (int64_t n = 0; n < parts; n += STEP)
        reference = kernels->peak(m + n, step_of(parts - n), reference);
    for (int64_t n = 0; n < parts; n += STEP)
        kernels->exponentials(m + n, step_of(parts - n), reference, exp, 0);
    float total = 0.0f;
    for (int64_t n = 0; n < parts; n++) {
        m[n] = l[n] == 0.0f ? 0.0f : m[n] * l[n];
        total += m[n];
    }
    for (int64_t d = 0; d < count; d++)
        out[d] = 0.0f;
    for (int64_t n = 0; n < parts; n++) {
        if (l[n] == 0.0f)
            continue;
        float weight = m[n] / total;
        for (int64_t d = 0; d < count; d++)
            out[d] += weight * o[n * o_distance + d];
    }
    *m_out = reference;
    *l_out = total;
}
