/* What the AVX512-VNNI backend adds to the AVX-512 one. */
#ifndef FOVEA_ARCH_AVX512VNNI_KERNELS_H
#define FOVEA_ARCH_AVX512VNNI_KERNELS_H

#include "arch/kernel.h"

extern const fv_backend fv_backend_avx512vnni;
extern const fv_row_reads fv_avx512vnni_int8_reads;

#endif
