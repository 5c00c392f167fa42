/* The floating-point modes of the calling thread (rounding, denormals; not the sticky exception flags), as one number.
 */
#ifndef FOVEA_TESTS_FPMODE_H
#define FOVEA_TESTS_FPMODE_H

#include <fenv.h>
#include <stdint.h>

#if defined(__x86_64__)
#include <xmmintrin.h>

enum { FPMODE_FLUSHES_DENORMALS = 0x8040 }; /* flush to zero, denormals are zero */

static inline uint64_t fpmode_get(void) {
    return _mm_getcsr() & ~0x3fu;
}

static inline void fpmode_set(uint64_t mode) {
    _mm_setcsr((unsigned)mode);
}
#elif defined(__aarch64__)
enum { FPMODE_FLUSHES_DENORMALS = 1 << 24 }; /* FPCR.FZ */

static inline uint64_t fpmode_get(void) {
    uint64_t mode;
    __asm__ volatile("mrs %0, fpcr" : "=r"(mode));
    return mode;
}

static inline void fpmode_set(uint64_t mode) {
    __asm__ volatile("msr fpcr, %0" : : "r"(mode));
}
#else
enum { FPMODE_FLUSHES_DENORMALS = 0 };

static inline uint64_t fpmode_get(void) {
    return (uint64_t)fegetround();
}

static inline void fpmode_set(uint64_t mode) {
    fesetround((int)mode);
}
#endif

#endif
