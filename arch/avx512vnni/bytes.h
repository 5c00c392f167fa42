/* The vocabulary of bytes on AVX512-VNNI, over arch/avx512/vec.h. */
#ifndef FOVEA_ARCH_AVX512VNNI_BYTES_H
#define FOVEA_ARCH_AVX512VNNI_BYTES_H

#ifndef __AVX512VNNI__
#error "arch/avx512vnni needs -mavx512vnni"
#endif

#include <immintrin.h>

/* Lane i of acc += the sum of bytes 4 i ... 4 i + 3 of a, unsigned, times those of b, signed; in acc's own register
 * (see v_accumulate). */
static inline __attribute__((always_inline)) void v_dot_bytes(__m512i *acc, __m512i a, __m512i b) {
    __asm__("vpdpbusd %2, %1, %0" : "+v"(*acc) : "v"(a), "v"(b));
}

#endif
