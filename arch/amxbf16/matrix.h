/* The vocabulary of matrix registers (arch/common/matrix_family.inc) on AMX. In assembly, for gcc's intrinsics do not
 * say that they read and write memory. */
#ifndef FOVEA_ARCH_AMXBF16_MATRIX_H
#define FOVEA_ARCH_AMXBF16_MATRIX_H

#include <stdint.h>

/* What LDTILECFG reads: palette 1, and the rows and the bytes of a row of each register. */
typedef struct matrix_shapes {
    uint8_t palette;
    uint8_t start_row;
    uint8_t reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
} matrix_shapes;

#define WHOLE_8(X) \
    { X, X, X, X, X, X, X, X }

static void matrix_begin(void) {
    static const matrix_shapes whole __attribute__((aligned(64))) = {
        .palette = 1,
        .row_bytes = WHOLE_8(64),
        .rows = WHOLE_8(16),
    };
    __asm__ volatile("ldtilecfg %0" ::"m"(whole));
}

static void matrix_end(void) {
    __asm__ volatile("tilerelease");
}

#define MATRIX_ZERO(T) __asm__ volatile("tilezero %%tmm" #T ::)
#define MATRIX_LOAD(T, P, STEP) \
    __asm__ volatile("tileloadd (%0,%1,1), %%tmm" #T ::"r"(P), "r"((int64_t)(STEP)) : "memory")
#define MATRIX_STORE(T, P, STEP) \
    __asm__ volatile("tilestored %%tmm" #T ", (%0,%1,1)" ::"r"(P), "r"((int64_t)(STEP)) : "memory")
/* Subnormal numbers count as zeros, and sums are rounded to nearest whatever the thread's mode. */
#define MATRIX_MULTIPLY(C, A, B) __asm__ volatile("tdpbf16ps %%tmm" #B ", %%tmm" #A ", %%tmm" #C ::)
/* Of bytes, both signed, or those of A not (arch/amxbf16/byte_products.h). */
#define MATRIX_MULTIPLY_SIGNED(C, A, B) __asm__ volatile("tdpbssd %%tmm" #B ", %%tmm" #A ", %%tmm" #C ::)
#define MATRIX_MULTIPLY_UNSIGNED(C, A, B) __asm__ volatile("tdpbusd %%tmm" #B ", %%tmm" #A ", %%tmm" #C ::)

#endif
