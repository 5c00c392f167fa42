/* The AMX-BF16 backend: AVX-512 with products of matrices of bf16 numbers. All but the pair family and how int8
 * is read is AVX-512's. */
#include "arch/amxbf16/kernels.h"
#include "arch/avx512/kernels.h"

const fv_backend fv_backend_amxbf16 = {
    .name = "amxbf16",
    .isa = FOVEA_ISA_AMXBF16,
    .panel = &fv_avx512_panel,
    .row = &fv_avx512_row,
    .read = FV_AVX512_READS(fv_amxbf16_int8_reads),
    .convert = &fv_avx512_convert,
    .rotary = &fv_avx512_rotary,
    .pair = &fv_amxbf16_pair,
};
