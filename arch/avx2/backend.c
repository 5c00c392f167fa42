/* The AVX2 backend: x86-64 with AVX2, FMA and F16C. */
#include "arch/avx2/kernels.h"

const fv_backend fv_backend_avx2 = {
    .name = "avx2",
    .isa = FOVEA_ISA_AVX2,
    .panel = &fv_avx2_panel,
    .row = &fv_avx2_row,
    .read = {[FOVEA_F32] = &fv_avx2_f32_reads,
             [FOVEA_F16] = &fv_avx2_f16_reads,
             [FOVEA_BF16] = &fv_avx2_bf16_reads,
             [FOVEA_INT8] = &fv_avx2_int8_reads},
    .convert = &fv_avx2_convert,
    .rotary = &fv_avx2_rotary,
};
