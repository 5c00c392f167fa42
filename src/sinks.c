#include "src/sinks.h"

#include <math.h>

#include "src/sums.h"
#include "src/terms.h"

static const double LOG_2 = 0.69314718055994530942;

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

/* The natural logarithm of a sum, added to `reference` and rounded once: of l's significand, near 1, the kernel's
 * logarithm is exact to far below an ULP of the result, the exponent is added in double precision. */
static float log_of_sum(double reference, float fraction_log, int32_t exponent) {
    return (float)(reference + ((double)fraction_log + exponent * LOG_2));
}

/* Splits l into 2^exponent and a fraction between 3/4 and 3/2. */
static float fraction_of(float l, int32_t *exponent) {
    int power = 0;
    float fraction = frexpf(l, &power);
    const int32_t small = fraction < 0.75f;
    *exponent = isfinite(l) ? power - small : 0;
    return small ? 2.0f * fraction : fraction;
}

void fv_log_sum_exp(const fv_head *head, int64_t first_lane, int32_t lanes, const float *m, const float *l,
                    float *lse) {
    const float zeros[FV_MAX_LANES] = {0};
    float fractions[FV_MAX_LANES] = {0};
    int32_t exponents[FV_MAX_LANES] = {0};
    for (int32_t lane = 0; lane < lanes; lane++)
        fractions[lane] = fraction_of(l[lane], &exponents[lane]);
    head->plan->backend->row->log_sum_exp(zeros, fractions, lanes, lse);
    for (int32_t lane = 0; lane < lanes; lane++) {
        const int32_t is_sink = head->plan->has_sinks && m[lane] == log2_sink(head, first_lane + lane);
        const double reference = is_sink ? (double)sink_of_lane(head, first_lane + lane) : m[lane] * LOG_2;
        lse[lane] = log_of_sum(reference, lse[lane], exponents[lane]);
        /* The lowest finite score has no room for the factor of log2 units (terms.h). */
        if (!is_sink && m[lane] == FV_NO_SCORE && l[lane] > 0.0f)
            lse[lane] = FV_NO_SCORE;
    }
}
