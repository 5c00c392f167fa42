/* 64-byte vectors, fused multiply-add. */
#include <immintrin.h>

#define PROBE_NAME avx512
#define PROBE_FEATURES FV_CPU_avx512f
#define PROBE_BYTES 64
#define PROBE_CHAINS 24
#define PROBE_REGISTER "v"
#define PROBE_MUL_ADD(a, x, y) _mm512_fmadd_ps(a, x, y)
#include "probe_simd.h"
