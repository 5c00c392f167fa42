/* The portable backend: plain C, and the contract of arch/kernel.h in its most readable form. */
#include "arch/generic/kernels.h"

const fv_backend fv_backend_generic = {
    .name = "generic",
    .isa = FOVEA_ISA_GENERIC,
    .panel = &fv_generic_panel,
    .row = &fv_generic_row,
    .read = {[FOVEA_F32] = &fv_generic_f32_reads,
             [FOVEA_F16] = &fv_generic_f16_reads,
             [FOVEA_BF16] = &fv_generic_bf16_reads,
             [FOVEA_INT8] = &fv_generic_int8_reads},
    .convert = &fv_generic_convert,
    .rotary = &fv_generic_rotary,
};
