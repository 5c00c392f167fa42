/* The features that x86-64 backends require, and all that are known. */
#ifndef FOVEA_TESTS_CPU_FEATURES_H
#define FOVEA_TESTS_CPU_FEATURES_H

#include "arch/cpu.h"

enum {
    AVX2_FEATURES = FV_CPU_avx2 | FV_CPU_fma | FV_CPU_f16c,
    AVX512_FEATURES = AVX2_FEATURES | FV_CPU_avx512f | FV_CPU_avx512bw | FV_CPU_avx512dq | FV_CPU_avx512vl,
    VNNI_FEATURES = AVX512_FEATURES | FV_CPU_avx512vnni,
    BF16_FEATURES = VNNI_FEATURES | FV_CPU_avx512bf16,
    AMX_FEATURES = BF16_FEATURES | FV_CPU_AMX,
    X86_FEATURES = AMX_FEATURES | FV_CPU_fastbf16
};

#endif
