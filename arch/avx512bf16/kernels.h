/* What the AVX512-BF16 backend adds to the AVX-512 one. */
#ifndef FOVEA_ARCH_AVX512BF16_KERNELS_H
#define FOVEA_ARCH_AVX512BF16_KERNELS_H

#include "arch/kernel.h"

extern const fv_backend fv_backend_avx512bf16;
extern const fv_pair_kernels fv_avx512bf16_pair;

#endif
