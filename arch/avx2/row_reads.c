/* How f32 is read by the backends above AVX2 (arch/avx512/rows.c says why): in order, which on their processors is
 * faster than in pieces, and with two sums a product, for there several queries' sums do not hide how long one takes.
 */
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
