/* 2^f on [-1/2, 1/2] as a polynomial with constant term 1: minimax in relative error, coefficients rounded to f32.
 * Approximation error 1.1e-7; evaluated in f32 with FMA at most 1.8e-7, without at most 2e-7, over every float in
 * [-126, 0] (tests/test_exp2.c). */
#ifndef FOVEA_ARCH_COMMON_EXP2_POLY_H
#define FOVEA_ARCH_COMMON_EXP2_POLY_H

#define FV_EXP2_C1 0.6931470036506653f
#define FV_EXP2_C2 0.24022242426872253f
#define FV_EXP2_C3 0.05550733581185341f
#define FV_EXP2_C4 0.009671512991189957f
#define FV_EXP2_C5 0.001326472731307149f

#endif
