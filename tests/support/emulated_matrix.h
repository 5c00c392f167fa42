/* The vocabulary of matrix registers (arch/common/matrix_family.inc) in portable C, as Intel defines TDPBF16PS:
 * products of the elements of even and of odd numbers are summed by themselves, each sum rounded to nearest, and then
 * added. */
#ifndef FOVEA_TESTS_EMULATED_MATRIX_H
#define FOVEA_TESTS_EMULATED_MATRIX_H

#include "emulated_registers.h"

/* The lower or the upper elements of all pairs. */
static void take_elements(const emulated_matrix *from, int upper, emulated_matrix *to) {
    for (int row = 0; row < EMULATED_ROWS; row++)
        for (int k = 0; k < EMULATED_PAIRS; k++)
            to->pair[row][k] = element_of(from->pair[row][k], upper);
}

/* Products of bf16 numbers are exact in f32. */
static void add_product(const emulated_matrix *a, const emulated_matrix *b, emulated_matrix *c) {
    for (int row = 0; row < EMULATED_ROWS; row++)
        for (int k = 0; k < EMULATED_PAIRS; k++)
            for (int column = 0; column < EMULATED_PAIRS; column++)
                c->pair[row][column] += a->pair[row][k] * b->pair[k][column];
}

static inline void matrix_multiply(int c, int a, int b) {
    emulated_matrix left, right, sums[2];
    memset(sums, 0, sizeof sums);
    for (int upper = 0; upper < 2; upper++) {
        take_elements(matrix_at(a), upper, &left);
        take_elements(matrix_at(b), upper, &right);
        add_product(&left, &right, &sums[upper]);
    }
    for (int row = 0; row < EMULATED_ROWS; row++)
        for (int column = 0; column < EMULATED_PAIRS; column++)
            matrix_at(c)->pair[row][column] += sums[0].pair[row][column] + sums[1].pair[row][column];
}

#define MATRIX_MULTIPLY(C, A, B) matrix_multiply(C, A, B)

#endif
