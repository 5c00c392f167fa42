/* 2^f as polynomials with constant term 1: minimax in relative error, coefficients rounded to f32. Errors over every
 * float in [-126, 0] are measured by tests/test_exp2.c.
 *
 * On [-1/2, 1/2], for rounding to the nearest integer. Approximation error 1.1e-7; evaluated in f32 with FMA at most
 * 1.8e-7, without at most 2e-7. */
#ifndef FOVEA_ARCH_COMMON_EXP2_POLY_H
#define FOVEA_ARCH_COMMON_EXP2_POLY_H

#define FV_EXP2_C1 0.6931470036506653f
#define FV_EXP2_C2 0.24022242426872253f
#define FV_EXP2_C3 0.05550733581185341f
#define FV_EXP2_C4 0.009671512991189957f
#define FV_EXP2_C5 0.001326472731307149f

/* On [0, 1], for rounding down. Approximation error 8.3e-8; evaluated in f32 with FMA at most 1.8e-7. */
#define FV_EXP2_UNIT_C1 0.6931513f
#define FV_EXP2_UNIT_C2 0.2401646f
#define FV_EXP2_UNIT_C3 0.055799514f
#define FV_EXP2_UNIT_C4 0.009017481f
#define FV_EXP2_UNIT_C5 0.0018669526f

/* Of degree 3 for probabilities that are rounded to bf16, whose error is 4e-3: errors 1.1e-4 and 8.6e-5. */
#define FV_EXP2_COARSE_C1 0.69328290f
#define FV_EXP2_COARSE_C2 0.24221095f
#define FV_EXP2_COARSE_C3 0.055008933f
#define FV_EXP2_UNIT_COARSE_C1 0.69511676f
#define FV_EXP2_UNIT_COARSE_C2 0.22764499f
#define FV_EXP2_UNIT_COARSE_C3 0.07706704f

#endif
