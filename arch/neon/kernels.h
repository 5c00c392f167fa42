/* The families of the NEON backend. */
#ifndef FOVEA_ARCH_NEON_KERNELS_H
#define FOVEA_ARCH_NEON_KERNELS_H

#include "arch/kernel.h"

extern const fv_backend fv_backend_neon;
extern const fv_panel_kernels fv_neon_panel;
extern const fv_row_kernels fv_neon_row;
extern const fv_row_reads fv_neon_f32_reads;
extern const fv_row_reads fv_neon_f16_reads;
extern const fv_row_reads fv_neon_bf16_reads;
extern const fv_row_reads fv_neon_int8_reads;
extern const fv_convert_kernels fv_neon_convert;
extern const fv_rotary_kernels fv_neon_rotary;

#endif
