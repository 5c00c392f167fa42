/* The plan: everything about a call that does not depend on where the data is. Immutable once made. */
#ifndef FOVEA_SRC_PLAN_H
#define FOVEA_SRC_PLAN_H

#include "arch/kernel.h"
#include "fovea/attention.h"
#include "src/partition.h"

#define FV_LOG2_E 1.44269504088896341f

struct fovea_plan {
    fovea_attention_desc desc;
    fovea_allocator allocator;
    const fv_backend *backend;
    fv_geometry geometry;
    /* The pair family, if panels go through it; else NULL. */
    const fv_pair_kernels *pair;
    /* Keys of a block of a panel, also of one that has its sequence to itself, and of a register tile; and what the
     * keys of a segment begin at multiples of. */
    int32_t key_block;
    int32_t key_block_single;
    int32_t tile_keys;
    int32_t key_step;
    fv_exp exp;
    /* The exponential of probabilities in pairs. */
    fv_exp pair_exp;
    /* Factor of the queries when they are packed, or of their products in the pair family: scores come out in log2
     * units, or as the argument of softcap's tanh.
     */
    float query_scale;
    /* The same without the powers of two that could carry the largest query beyond f32, for rows that are computed
     * again (panel.h, "safe"); their scores are multiplied by the power of two instead. */
    float safe_query_scale;
    float safe_score_factor;
    /* softcap in log2 units; 0: none. */
    float cap;
    /* What additive terms are multiplied by: log2(e) in log2 units. */
    float term_factor;
    /* Scores fall with the distance from the diagonal. */
    int32_t has_alibi;
    /* Rows have a logit without a value. */
    int32_t has_sinks;
    /* Scores have additive terms: bias or mask. */
    int32_t has_score_terms;
    /* Scores are stored before their exponentials are taken: softcap, ALiBi, bias, mask; or weights, whose own pass
     * over the keys must round scores as the sums they are divided by did. */
    int32_t two_pass;
};

/* Weights are written row by row, with the outputs. */
static inline int32_t fv_has_weights_rows(const fovea_plan *plan) {
    return plan->desc.weights != FOVEA_WEIGHTS_NONE && plan->desc.weights != FOVEA_WEIGHTS_MEAN_PROBABILITIES;
}

/* Validates and plans into *plan, which the caller owns. */
fovea_status fv_plan_init(const fovea_attention_desc *desc, fovea_plan *plan);

/* The same on a given backend, whatever dispatch would choose; for tests. */
fovea_status fv_plan_init_on(const fovea_attention_desc *desc, const fv_backend *backend, fovea_plan *plan);

/* Sets what scores are made of: softcap (0: none), and the units that a natural one has. */
void fv_plan_scores(fovea_plan *plan, float softcap, float unit);

#endif
