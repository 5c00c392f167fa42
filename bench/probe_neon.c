/* 16-byte vectors, fused multiply-add into the accumulator, which is the only form that Advanced SIMD has. */
#include <arm_neon.h>

#define PROBE_NAME neon
#define PROBE_FEATURES FV_CPU_asimd
#define PROBE_BYTES 16
#define PROBE_CHAINS 24
#define PROBE_REGISTER "w"
/* The chain adds x * y to itself: some processors forward the accumulator early, as attention's own chains profit from.
 */
#define PROBE_MUL_ADD(a, x, y) ((probe_vector)vfmaq_f32((float32x4_t)(a), (float32x4_t)(x), (float32x4_t)(y)))
#include "probe_simd.h"
