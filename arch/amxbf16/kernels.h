/* What the AMX-BF16 backend adds to the AVX-512 one. */
#ifndef FOVEA_ARCH_AMXBF16_KERNELS_H
#define FOVEA_ARCH_AMXBF16_KERNELS_H

#include "arch/kernel.h"

extern const fv_backend fv_backend_amxbf16;
extern const fv_pair_kernels fv_amxbf16_pair;
extern const fv_row_reads fv_amxbf16_int8_reads;

#endif
