/* The families of the AVX-512 backend. */
#ifndef FOVEA_ARCH_AVX512_KERNELS_H
#define FOVEA_ARCH_AVX512_KERNELS_H

#include "arch/kernel.h"

extern const fv_backend fv_backend_avx512;
extern const fv_panel_kernels fv_avx512_panel;
extern const fv_row_kernels fv_avx512_row;
extern const fv_convert_kernels fv_avx512_convert;
extern const fv_rotary_kernels fv_avx512_rotary;

#endif
