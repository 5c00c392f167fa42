/* The families of the AVX2 backend. */
#ifndef FOVEA_ARCH_AVX2_KERNELS_H
#define FOVEA_ARCH_AVX2_KERNELS_H

#include "arch/kernel.h"

extern const fv_backend fv_backend_avx2;
extern const fv_panel_kernels fv_avx2_panel;
extern const fv_row_kernels fv_avx2_row;
/* f32 is read so by the AVX-512 backends too. */
extern const fv_row_reads fv_avx2_f32_reads;
extern const fv_row_reads fv_avx2_f16_reads;
extern const fv_row_reads fv_avx2_bf16_reads;
extern const fv_row_reads fv_avx2_int8_reads;
extern const fv_convert_kernels fv_avx2_convert;
extern const fv_rotary_kernels fv_avx2_rotary;

#endif
