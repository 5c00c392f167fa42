/* The AVX512-VNNI backend: AVX-512 with dot products of bytes. All but how int8 is read is AVX-512's. */
#include "arch/avx512/kernels.h"
#include "arch/avx512vnni/kernels.h"

const fv_backend fv_backend_avx512vnni = {
    .name = "avx512vnni",
    .isa = FOVEA_ISA_AVX512VNNI,
    .panel = &fv_avx512_panel,
    .row = &fv_avx512_row,
    .read = FV_AVX512_READS(fv_avx512vnni_int8_reads),
    .convert = &fv_avx512_convert,
    .rotary = &fv_avx512_rotary,
};
