/* The hyperbolic tangent of softcap, inline: SLEEF's of 1.0 ULP takes 128 FMA slots a vector, as much as the products
 * of 64 elements; its cheaper one errs by up to 3.5 ULP, which the cap multiplies. This one errs by at most 1.6 ULP
 * (tests/test_exp2.c measures it) and takes 29 slots. Include vec.h and elements.h first. */
#ifndef FOVEA_ARCH_COMMON_TANH_H
#define FOVEA_ARCH_COMMON_TANH_H

/* Below: tanh x = x + x^3 P(x^2), approximation error 1.6e-10. From here on: 1 - 2 / (exp(2 x) + 1), for which the
 * exponential's polynomial needs a degree more than probabilities do (2e-9). */
#define FV_TANH_SPLIT 0.625f
/* tanh of this and more rounds to 1. */
#define FV_TANH_END 10.0f
#define FV_TWICE_LOG2_E 2.88539008177792681f

/* Odd; NaN stays NaN, and the sign of zero may be lost. */
static inline vf v_tanh(vf x) {
    const vf a = v_min(v_set(FV_TANH_END), v_absolute(x));

    const vf square = v_mul(a, a);
    vf odd = v_fma(v_set(0.00214191084f), square, v_set(-0.0081762867f));
    odd = v_fma(odd, square, v_set(0.0217002705f));
    odd = v_fma(odd, square, v_set(-0.0539466888f));
    odd = v_fma(odd, square, v_set(0.133332059f));
    odd = v_fma(odd, square, v_set(-0.333333313f));
    const vf near_zero = v_fma(v_mul(square, a), odd, a);

    /* exp(2 a) = 2^n 2^f; the sum's low bits are n + 127 (see exp2.h). */
    const vf magic = v_set(0x1.8p23f + 127.0f);
    const vf sum = v_fma(a, v_set(FV_TWICE_LOG2_E), magic);
    const vf f = v_fma(a, v_set(FV_TWICE_LOG2_E), v_sub(magic, sum));
    vf p = v_fma(v_set(0.000153532572f), f, v_set(0.00133990042f));
    p = v_fma(p, f, v_set(0.00961843878f));
    p = v_fma(p, f, v_set(0.0555033199f));
    p = v_fma(p, f, v_set(0.240226477f));
    p = v_fma(p, f, v_set(0.693147182f));
    p = v_fma(p, f, v_set(1.0f));
    const vf denominator = v_fma(p, v_shift_to_exponent(sum), v_set(1.0f));
    const vf beyond = v_sub(v_set(1.0f), v_divide(v_set(2.0f), denominator));

    const vf magnitude = v_select(v_not_less(a, v_set(FV_TANH_SPLIT)), beyond, near_zero);
    const vf result = v_select(v_not_less(x, v_set(0.0f)), magnitude, v_sub(v_set(0.0f), magnitude));
    return v_select(v_equal(x, x), result, x);
}

#endif
