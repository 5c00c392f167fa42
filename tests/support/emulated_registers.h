/* Matrix registers in portable C: eight, of 16 rows of 64 bytes. */
#ifndef FOVEA_TESTS_EMULATED_REGISTERS_H
#define FOVEA_TESTS_EMULATED_REGISTERS_H

#include <stdlib.h>
#include <string.h>

enum { EMULATED_MATRICES = 8, EMULATED_ROWS = 16, EMULATED_PAIRS = 16 };

typedef struct emulated_matrix {
    float pair[EMULATED_ROWS][EMULATED_PAIRS];
} emulated_matrix;

/* Between begin and end; use outside is an error of the caller's, as on the processor. On the heap, for what is local
 * to a thread is a part of its stack, of which tests give it little. */
static _Thread_local emulated_matrix *registers;

static inline void matrix_begin(void) {
    if (registers)
        abort();
    registers = malloc(EMULATED_MATRICES * sizeof *registers);
    if (!registers)
        abort();
    memset(registers, 0xff, EMULATED_MATRICES * sizeof *registers);
}

static inline void matrix_end(void) {
    if (!registers)
        abort();
    free(registers);
    registers = NULL;
}

static emulated_matrix *matrix_at(int index) {
    if (!registers)
        abort();
    return &registers[index];
}

static inline void matrix_zero(int index) {
    memset(matrix_at(index), 0, sizeof(emulated_matrix));
}

static inline void matrix_load(int index, const void *from, int64_t step) {
    emulated_matrix *matrix = matrix_at(index);
    for (int row = 0; row < EMULATED_ROWS; row++)
        memcpy(matrix->pair[row], (const char *)from + row * step, sizeof matrix->pair[row]);
}

static inline void matrix_store(int index, void *to, int64_t step) {
    const emulated_matrix *matrix = matrix_at(index);
    for (int row = 0; row < EMULATED_ROWS; row++)
        memcpy((char *)to + row * step, matrix->pair[row], sizeof matrix->pair[row]);
}

#define MATRIX_ZERO(T) matrix_zero(T)
#define MATRIX_LOAD(T, P, STEP) matrix_load(T, P, STEP)
#define MATRIX_STORE(T, P, STEP) matrix_store(T, P, STEP)

#endif
