/* What the portable backend can reach: 16-byte vectors, a multiplication and an addition each time. */
#define PROBE_NAME baseline
#define PROBE_FEATURES 0
#define PROBE_BYTES 16
#define PROBE_CHAINS 14
#if defined(__aarch64__)
#define PROBE_REGISTER "w"
#else
#define PROBE_REGISTER "x"
#endif
#define PROBE_MUL_ADD(a, x, y) ((a) * (x) + (y))
#include "probe_simd.h"
