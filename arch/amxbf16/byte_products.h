/* Products of digits with bytes by matrix registers: arch/avx512vnni/byte_reads.h says what it takes from here.
 *
 * Include a vocabulary of matrix registers first (matrix.h). A row of digits is one of a matrix: the first 16 rows,
 * those of FIRST_ROWS rows of numbers, and the last 16 of FV_MAX_ROWS * DIGITS. */
#ifndef FOVEA_ARCH_AMXBF16_BYTE_PRODUCTS_H
#define FOVEA_ARCH_AMXBF16_BYTE_PRODUCTS_H

#include "arch/avx512vnni/digits.h"
#include "arch/avx512vnni/values.h"

enum {
    MATRIX_ROWS = 16,
    MATRIX_BYTES = 64,
    FIRST_ROWS = MATRIX_ROWS / DIGITS,
    /* Where the last rows of digits begin. */
    LAST_DIGITS = FV_MAX_ROWS * DIGITS - MATRIX_ROWS,
    CHUNKS_MOST = NUMBERS_MOST / MATRIX_BYTES
};

_Static_assert(FIRST_ROWS *DIGITS == LAST_DIGITS, "every row of digits is one of the first or the last");

static inline int32_t digits_pay(int32_t rows) {
    return rows >= 3;
}

typedef int32_t matrix_sums[MATRIX_ROWS][16] __attribute__((aligned(64)));

/* A piece of keys is multiplied at a time, and a vector of values. */
static inline int32_t rows_asked(int64_t length) {
    const int64_t times = (length + 63) / 64 * STEP_VECTORS;
    return (int32_t)((GROUP_KEYS + times - 1) / times);
}

static void begin_products(void) {
    matrix_begin();
}

static void end_products(void) {
    matrix_end();
}

/* In how many parts so many rows are multiplied: the first rows of digits, or those and the last. */
static inline int32_t parts_of(int32_t rows) {
    return rows > FIRST_ROWS ? 2 : 1;
}

/* Where a part's rows of numbers end; the first part begins at 0, the last at FIRST_ROWS. */
static inline int32_t end_of_part(int32_t last, int32_t rows) {
    return last || rows < FIRST_ROWS ? rows : FIRST_ROWS;
}

/* Digit `row` of all those that are split. */
static inline const int8_t *digits_at(const split_rows *split, int32_t row) {
    return split->digit[0][0] + row * NUMBERS_MOST;
}

/* Queries as the right factor: four elements of each row of digits, then the next four. */
typedef struct arranged_queries {
    uint8_t digits[CHUNKS_MOST][2][MATRIX_ROWS * MATRIX_BYTES] __attribute__((aligned(64)));
} arranged_queries;

static void arrange_queries(const split_rows *q, int32_t rows, int64_t length, arranged_queries *to) {
    for (int32_t chunk = 0; chunk * MATRIX_BYTES < length; chunk++)
        for (int32_t last = 0; last < parts_of(rows); last++) {
            vf x[MATRIX_ROWS];
            for (int32_t row = 0; row < MATRIX_ROWS; row++)
                x[row] = _mm512_castsi512_ps(
                    _mm512_load_si512(digits_at(q, row + last * LAST_DIGITS) + chunk * MATRIX_BYTES));
            v_transpose(x);
            for (int32_t row = 0; row < MATRIX_ROWS; row++)
                _mm512_store_si512(to->digits[chunk][last] + row * MATRIX_BYTES, _mm512_castps_si512(x[row]));
        }
}

/* The rows of a piece where they lie, a step apart; or a copy, filled up with zeros to whole chunks, if they do not lie
 * so. */
static const int8_t *rows_of_piece(group_walk *walk, int32_t piece, int8_t *room, int64_t *step) {
    const fv_stored *k = walk->stored;
    const int32_t left = walk->group.count - piece * GROUP_ROWS;
    if (!k->each && k->length % MATRIX_BYTES == 0 && left >= GROUP_ROWS) {
        *step = k->stride;
        return places_of(walk)[0][piece];
    }
    for (int32_t at = 0; at < GROUP_ROWS; at++)
        for (int64_t d = 0; d < k->length; d += MATRIX_BYTES)
            _mm512_store_si512(room + at * NUMBERS_MOST + d, bytes_at(places_of(walk)[at][piece] + d, k->length - d));
    *step = NUMBERS_MOST;
    return room;
}

/* Pieces of keys, and vectors of values, that are multiplied at a time, each in a register of its own: a sum waits for
 * the last product of another a hundred cycles. */
enum { AT_ONCE = 4 };

static void clear_sums(void) {
    MATRIX_ZERO(0);
    MATRIX_ZERO(1);
    MATRIX_ZERO(2);
    MATRIX_ZERO(3);
}

static void store_sums(matrix_sums sums[AT_ONCE]) {
    MATRIX_STORE(0, sums[0], MATRIX_BYTES);
    MATRIX_STORE(1, sums[1], MATRIX_BYTES);
    MATRIX_STORE(2, sums[2], MATRIX_BYTES);
    MATRIX_STORE(3, sums[3], MATRIX_BYTES);
}

/* Scores of a piece: sums[i][j] of key i and row of digits `from` + j, for rows of numbers [begin, end). */
static inline void store_piece(const split_rows *q, matrix_sums sums, int32_t from, int32_t begin, int32_t end,
                               const row_group *group, int32_t piece, float *s, int64_t s_stride) {
    vf x[MATRIX_ROWS];
#pragma GCC unroll 16
    for (int i = 0; i < MATRIX_ROWS; i++)
        x[i] = _mm512_castsi512_ps(_mm512_load_si512(sums[i]));
    v_transpose(x);
    for (int32_t row = begin; row < end; row++) {
        __m512i of_row[DIGITS];
        for (int n = 0; n < DIGITS; n++)
            of_row[n] = _mm512_castps_si512(x[row * DIGITS + n - from]);
        store_scores(v_mul(sum_of_digits(of_row), v_set(q->unit[row])), group, piece, s + row * s_stride);
    }
}

/* Rows of keys in pieces, and the distance of a piece's rows. */
typedef struct key_pieces {
    const int8_t *rows[AT_ONCE];
    int64_t step[AT_ONCE];
} key_pieces;

/* sums[n]: products of piece n with the first or the last rows of digits. */
static void multiply_pieces(const key_pieces *k, int64_t length, const arranged_queries *q, int32_t last,
                            matrix_sums sums[AT_ONCE]) {
    clear_sums();
    for (int32_t chunk = 0; chunk * MATRIX_BYTES < length; chunk++) {
        const int64_t at = (int64_t)chunk * MATRIX_BYTES;
        MATRIX_LOAD(6, q->digits[chunk][last], MATRIX_BYTES);
        MATRIX_LOAD(4, k->rows[0] + at, k->step[0]);
        MATRIX_MULTIPLY_SIGNED(0, 4, 6);
        MATRIX_LOAD(5, k->rows[1] + at, k->step[1]);
        MATRIX_MULTIPLY_SIGNED(1, 5, 6);
        MATRIX_LOAD(4, k->rows[2] + at, k->step[2]);
        MATRIX_MULTIPLY_SIGNED(2, 4, 6);
        MATRIX_LOAD(5, k->rows[3] + at, k->step[3]);
        MATRIX_MULTIPLY_SIGNED(3, 5, 6);
    }
    store_sums(sums);
}

static void dots_of_pieces(const split_rows *q, const arranged_queries *arranged, int32_t rows, group_walk *walk,
                           int32_t first, float *s, int64_t s_stride) {
    int8_t room[AT_ONCE][GROUP_ROWS * NUMBERS_MOST] __attribute__((aligned(64)));
    matrix_sums sums[AT_ONCE];
    key_pieces k;
    for (int32_t n = 0; n < AT_ONCE; n++)
        k.rows[n] = rows_of_piece(walk, first + n, room[n], &k.step[n]);
    for (int32_t last = 0; last < parts_of(rows); last++) {
        const int32_t begin = last * FIRST_ROWS, end = end_of_part(last, rows);
        multiply_pieces(&k, walk->stored->length, arranged, last, sums);
        for (int32_t n = 0; n < AT_ONCE && (first + n) * GROUP_ROWS < walk->group.count; n++) {
            ask_for_byte_rows(&walk->ahead);
            store_piece(q, sums[n], last * LAST_DIGITS, begin, end, &walk->group, first + n, s, s_stride);
        }
    }
}

static void dots_of_run(const split_rows *q, int32_t rows, const fv_stored *k, float *s, int64_t s_stride) {
    arranged_queries arranged;
    group_walk walk;
    arrange_queries(q, rows, k->length, &arranged);
    begin_groups(k, GROUP_ROWS, &walk);
    begin_products();
    while (next_group(&walk))
        for (int32_t first = 0; first * GROUP_ROWS < walk.group.count; first += AT_ONCE)
            dots_of_pieces(q, &arranged, rows, &walk, first, s, s_stride);
    end_products();
}

/* sums[i]: products of vector i of the block's steps with 16 rows of digits. */
static void multiply_values(const int8_t *digits, const value_block block, int32_t steps, matrix_sums sums[AT_ONCE]) {
    clear_sums();
    for (int32_t step = 0; step < steps; step += MATRIX_ROWS) {
        const uint8_t *values = block + step * STEP_BYTES;
        MATRIX_LOAD(6, digits + step * 4, NUMBERS_MOST);
        MATRIX_LOAD(4, values, STEP_BYTES);
        MATRIX_MULTIPLY_UNSIGNED(0, 6, 4);
        MATRIX_LOAD(5, values + 64, STEP_BYTES);
        MATRIX_MULTIPLY_UNSIGNED(1, 6, 5);
        MATRIX_LOAD(4, values + 128, STEP_BYTES);
        MATRIX_MULTIPLY_UNSIGNED(2, 6, 4);
        MATRIX_LOAD(5, values + 192, STEP_BYTES);
        MATRIX_MULTIPLY_UNSIGNED(3, 6, 5);
    }
    store_sums(sums);
}

static void multiply_weights(const split_rows *weights, int32_t rows, const value_block block, int32_t steps, vf *to,
                             byte_rows_ahead *ahead) {
    matrix_sums sums[AT_ONCE];
    for (int32_t last = 0; last < parts_of(rows); last++) {
        const int32_t begin = last * FIRST_ROWS, end = end_of_part(last, rows);
        multiply_values(digits_at(weights, last * LAST_DIGITS), block, steps, sums);
        for (int i = 0; i < STEP_VECTORS; i++) {
            ask_for_byte_rows(ahead);
            for (int32_t row = begin; row < end; row++) {
                __m512i of_row[DIGITS];
                for (int n = 0; n < DIGITS; n++)
                    of_row[n] = _mm512_load_si512(sums[i][row * DIGITS + n - last * LAST_DIGITS]);
                to[row * STEP_VECTORS + i] = v_mul(sum_of_digits(of_row), v_set(weights->unit[row]));
            }
        }
    }
}

#endif
