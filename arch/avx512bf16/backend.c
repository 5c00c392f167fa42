/* The AVX512-BF16 backend: AVX-512 with dot products of pairs of bf16 numbers. All but the pair family
 * is AVX-512's, or AVX512-VNNI's. */
#include "arch/avx512/kernels.h"
#include "arch/avx512bf16/kernels.h"
#include "arch/avx512vnni/kernels.h"

const fv_backend fv_backend_avx512bf16 = {
    .name = "avx512bf16",
    .isa = FOVEA_ISA_AVX512BF16,
    .panel = &fv_avx512_panel,
    .row = &fv_avx512_row,
    .read = FV_AVX512_READS(fv_avx512vnni_int8_reads),
    .convert = &fv_avx512_convert,
    .rotary = &fv_avx512_rotary,
    .pair = &fv_avx512bf16_pair,
};
