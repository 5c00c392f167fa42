/* SLEEF's exponential over rows of lanes. Include vec.h and exp2.h first. */
#ifndef FOVEA_ARCH_COMMON_SLEEF_EXP2_H
#define FOVEA_ARCH_COMMON_SLEEF_EXP2_H

#include <stdint.h>

/* s - shift for one vector; shift may be NULL. */
static inline vf shifted(const float *s, const float *shift) {
    return shift ? v_sub(v_load(s), v_load(shift)) : v_load(s);
}

/* Exponentials below exp2(least) become 0. -INFINITY: none does, for every argument is FV_LEAST_PANEL_EXPONENT or more,
 * -inf or NaN. A call of SLEEF may clobber every vector register, so nothing is kept in one across it. `least` is a
 * literal at every use. */
static inline __attribute__((always_inline)) void
sleef_exponentials(float *s, int32_t ld, int32_t vectors, int32_t keys, const float *shift, const float least) {
    for (int32_t key = 0; key < keys; key++, s += ld)
        for (int32_t lane = 0; lane < vectors * V_LANES; lane += V_LANES) {
            const float *by = shift ? shift + lane : NULL;
            vf p = v_sleef_exp2(shifted(s + lane, by));
            v_store(s + lane, least > -INFINITY ? flush_below(least, shifted(s + lane, by), p) : p);
        }
}

#endif
