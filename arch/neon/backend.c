/* The NEON backend: AArch64 with Advanced SIMD as every ARMv8.0-A processor has it. */
#include "arch/neon/kernels.h"

const fv_backend fv_backend_neon = {
    .name = "neon",
    .isa = FOVEA_ISA_NEON,
    .panel = &fv_neon_panel,
    .row = &fv_neon_row,
    .read = {[FOVEA_F32] = &fv_neon_f32_reads,
             [FOVEA_F16] = &fv_neon_f16_reads,
             [FOVEA_BF16] = &fv_neon_bf16_reads,
             [FOVEA_INT8] = &fv_neon_int8_reads},
    .convert = &fv_neon_convert,
    .rotary = &fv_neon_rotary,
};
