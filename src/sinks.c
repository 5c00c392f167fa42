#include "src/sinks.h"

#include "src/sums.h"
#include "src/terms.h"

static const float *sinks_of_group(const fv_head *head) {
    return head->args->sinks + head->head_kv * head->plan->geometry.group;
}

static float sink_of_lane(const fv_head *head, int64_t lane) {
    return sinks_of_group(head)[lane % head->plan->geometry.group];
}

static float log2_sink(const fv_head *head, int64_t lane) {
    return fv_term(sink_of_lane(head, lane), FV_LOG2_E);
}

/* Adds exp2(sink - m) to l, relative to the larger of the two; `kept` receives what is left of the old unit. */
static void add_sinks(const fv_head *head, int64_t first_lane, int32_t lanes, float *m, float *l, float *kept) {
    const fv_row_kernels *kernels = head->plan->backend->row;
    float added[FV_MAX_LANES] __attribute__((aligned(FV_ALIGNMENT)));
    for (int32_t lane = 0; lane < lanes; lane++) {
        const float sink = log2_sink(head, first_lane + lane);
        const float reference = sink > m[lane] ? sink : m[lane];
        kept[lane] = m[lane] - reference;
        added[lane] = sink - reference;
        m[lane] = reference;
    }
    kernels->exponentials(kept, lanes, 0.0f, head->plan->exp, 0);
    kernels->exponentials(added, lanes, 0.0f, head->plan->exp, 0);
    for (int32_t lane = 0; lane < lanes; lane++)
        l[lane] = l[lane] * kept[lane] + added[lane];
}

void fv_finish_sums(const fv_head *head, int64_t first_lane, int32_t lanes, float *m, float *l, float *factor) {
    float kept[FV_MAX_LANES] __attribute__((aligned(FV_ALIGNMENT)));
    if (!head->counts_sinks) {
        for (int32_t lane = 0; lane < lanes; lane++)
            factor[lane] = fv_sum_factor(l[lane]);
        return;
    }
    add_sinks(head, first_lane, lanes, m, l, kept);
    for (int32_t lane = 0; lane < lanes; lane++)
        factor[lane] = l[lane] == 0.0f ? 0.0f : kept[lane] / l[lane];
}

void fv_log_sum_exp(const fv_head *head, int64_t first_lane, int32_t lanes, const float *m, const float *l,
                    float *lse) {
    const fv_row_kernels *kernels = head->plan->backend->row;
    kernels->log_sum_exp(m, l, lanes, lse);
    for (int32_t lane = 0; lane < lanes; lane++) {
        /* The lowest finite score has no room for the factor of log2 units (terms.h). */
        if (m[lane] == FV_NO_SCORE && l[lane] > 0.0f)
            lse[lane] = FV_NO_SCORE;
        if (!head->plan->has_sinks || m[lane] != log2_sink(head, first_lane + lane))
            continue;
        const float zero = 0.0f;
        kernels->log_sum_exp(&zero, &l[lane], 1, &lse[lane]);
        lse[lane] += sink_of_lane(head, first_lane + lane);
    }
}
