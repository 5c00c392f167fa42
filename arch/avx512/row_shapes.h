/* Shapes of AVX-512's loops over stored rows (arch/common/row_reads.h says what they are). */
#ifndef FOVEA_ARCH_AVX512_ROW_SHAPES_H
#define FOVEA_ARCH_AVX512_ROW_SHAPES_H

#define ROWS_AT_ONCE 8
#define ROW_DOT_KEYS(bytes, rows) ((rows) == 1 ? 1 : 2)
#define ROW_DOT_SUMS 1
#define ROW_SUM_KEYS(bytes) 0
#define ROW_STRIP(rows) ((rows) == 1 ? 16 : (rows) == 2 ? 8 : (rows) == 8 ? 2 : 4)
#define ROW_KEYS(bytes) FV_MAX_RUN
#define ROW_IN_PIECES 1
#define ROW_PIECE_STRIP 8
#define ROW_HOLD(x) __asm__("" : "+v"(x))

#endif
