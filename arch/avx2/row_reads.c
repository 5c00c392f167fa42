/* How the backends above AVX2 read f32 (arch/avx512/rows.c says why): in order, for pieces are not measured on their
 * processors, and with two sums a product, as they were measured. */
#include "arch/avx2/vec.h"

#include "arch/avx2/elements.h"

#define ROWS_AT_ONCE 4
#define ROW_DOT_KEYS(bytes, rows) 1
#define ROW_DOT_SUMS 2
#define ROW_SUM_KEYS(bytes) 1
#define ROW_STRIP(rows) ((rows) == 2 ? 4 : 2)
#define ROW_KEYS(bytes) 64
#define ROW_IN_PIECES 0
#define ROW_HOLD(x) __asm__("" : "+x"(x))
#include "arch/common/row_reads.h"

#include "arch/avx2/kernels.h"

#define READ f32
#define READ_LOADS f32
#define READ_TYPE float
#define READ_SCALED 0
#include "arch/common/row_reads.inc"

const fv_row_reads fv_avx2_f32_reads = ROW_READS(f32, 4);
