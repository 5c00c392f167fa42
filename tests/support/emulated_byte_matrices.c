#include "arch/avx512/vec.h"

#include "emulated_bytes.h"
#include "emulated_dots.h"
#include "emulated_registers.h"

static int32_t byte_at(const emulated_matrix *matrix, int row, int at, int is_signed) {
    int8_t byte;
    memcpy(&byte, (const char *)matrix->pair[row] + at, sizeof byte);
    return is_signed ? byte : (uint8_t)byte;
}

/* As Intel defines TDPBSSD and TDPBUSD: a row of a holds four bytes of each row of b, which has four bytes of each
 * column. */
static void multiply_bytes(emulated_matrix *c, const emulated_matrix *a, const emulated_matrix *b, int a_is_signed) {
    for (int row = 0; row < EMULATED_ROWS; row++)
        for (int column = 0; column < EMULATED_PAIRS; column++) {
            int32_t sum;
            memcpy(&sum, &c->pair[row][column], sizeof sum);
            for (int k = 0; k < EMULATED_PAIRS; k++)
                for (int i = 0; i < 4; i++)
                    sum += byte_at(a, row, 4 * k + i, a_is_signed) * byte_at(b, k, 4 * column + i, 1);
            memcpy(&c->pair[row][column], &sum, sizeof sum);
        }
}

#define MATRIX_MULTIPLY_SIGNED(C, A, B) multiply_bytes(matrix_at(C), matrix_at(A), matrix_at(B), 1)
#define MATRIX_MULTIPLY_UNSIGNED(C, A, B) multiply_bytes(matrix_at(C), matrix_at(A), matrix_at(B), 0)

#include "arch/amxbf16/byte_products.h"

#include "arch/avx512vnni/byte_reads.h"

const fv_row_reads emulated_byte_matrix_reads = INT8_READS;
