/* 32-byte vectors, fused multiply-add. */
#include <immintrin.h>

#define PROBE_NAME avx2
#define PROBE_FEATURES (FV_CPU_avx2 | FV_CPU_fma)
#define PROBE_BYTES 32
#define PROBE_CHAINS 14
#define PROBE_REGISTER "x"
#define PROBE_MUL_ADD(a, x, y) _mm256_fmadd_ps(a, x, y)
#include "probe_simd.h"
