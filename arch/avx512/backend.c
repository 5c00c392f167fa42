/* The AVX-512 backend: x86-64 with AVX-512 F, BW, DQ and VL. */
#include "arch/avx512/kernels.h"

const fv_backend fv_backend_avx512 = {
    .name = "avx512",
    .isa = FOVEA_ISA_AVX512,
    .panel = &fv_avx512_panel,
    .row = &fv_avx512_row,
    .read = FV_AVX512_READS(fv_avx512_int8_reads),
    .convert = &fv_avx512_convert,
    .rotary = &fv_avx512_rotary,
};
