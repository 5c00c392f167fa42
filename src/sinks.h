/* Sinks: one more logit of a row, which takes its share of the probability and has no value (Xiao et al., "Efficient
 * Streaming Language Models with Attention Sinks", 2023; learned ones as in GPT-OSS). They are counted when all keys of
 * an item were taken; of split keys, by the first split. */
#ifndef FOVEA_SRC_SINKS_H
#define FOVEA_SRC_SINKS_H

#include "src/call.h"

/* The factors that divide the outputs of lanes [first_lane, first_lane + lanes) by their sums. Where the item counts
 * sinks, these are added to the sums first, and references raised to them: m and l change. */
void fv_finish_sums(const fv_head *head, int64_t first_lane, int32_t lanes, float *m, float *l, float *factor);

/* Natural log-sum-exp of final references and sums. A row whose sink is its reference is as far from the sink as its
 * sum is from 1: exactly the sink where there is nothing else. */
void fv_log_sum_exp(const fv_head *head, int64_t first_lane, int32_t lanes, const float *m, const float *l, float *lse);

#endif
