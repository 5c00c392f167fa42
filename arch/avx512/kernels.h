/* The families of the AVX-512 backend. */
#ifndef FOVEA_ARCH_AVX512_KERNELS_H
#define FOVEA_ARCH_AVX512_KERNELS_H

#include "arch/avx2/kernels.h"
#include "arch/kernel.h"

extern const fv_backend fv_backend_avx512;
extern const fv_panel_kernels fv_avx512_panel;
extern const fv_row_kernels fv_avx512_row;
extern const fv_row_reads fv_avx512_f16_reads;
extern const fv_row_reads fv_avx512_bf16_reads;
extern const fv_row_reads fv_avx512_int8_reads;

/* How AVX-512 backends read keys and values, int8 by the table INT8.
 *
 * f32 is read by AVX2's kernels. Its rows come from memory faster when half a cache line at a time is multiplied: whole
 * lines are asked for faster than the prefetchers follow (in pieces 72 against 80 % of the read probe on Zen 4, in
 * order 28 against 40 GB/s on Zen 5). Several queries are multiplied as one is, so that a row of results does not
 * depend on how many there are. */
#define FV_AVX512_READS(INT8)                                                                                       \
    {                                                                                                               \
        [FOVEA_F32] = &fv_avx2_f32_reads, [FOVEA_F16] = &fv_avx512_f16_reads, [FOVEA_BF16] = &fv_avx512_bf16_reads, \
        [FOVEA_INT8] = &(INT8)                                                                                      \
    }
extern const fv_convert_kernels fv_avx512_convert;
extern const fv_rotary_kernels fv_avx512_rotary;

#endif
