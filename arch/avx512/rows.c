/* Row family on AVX-512. */
#include "arch/avx512/vec.h"

#include "arch/avx512/elements.h"

#define ROW_READS_F32_ELSEWHERE
#define ROWS_AT_ONCE 8
#define ROW_DOT_KEYS(bytes, rows) ((rows) == 1 ? 1 : 2)
#define ROW_DOT_SUMS 1
#define ROW_SUM_KEYS(bytes) 0
#define ROW_STRIP(rows) ((rows) == 1 ? 16 : (rows) == 2 ? 8 : (rows) == 8 ? 2 : 4)
#define ROW_KEYS(bytes) FV_MAX_RUN
#define ROW_IN_PIECES 1
#define ROW_PIECE_STRIP 8
#define ROW_HOLD(x) __asm__("" : "+v"(x))
#include "arch/common/exp2.h"
#include "arch/common/row_steps.h"

#include "arch/avx2/kernels.h"
#include "arch/avx512/kernels.h"

/* f32 is read by AVX2's kernels. Its rows come from memory faster when half a cache line at a time is multiplied: whole
 * lines are asked for faster than the prefetchers follow (in pieces 72 against 80 % of the read probe on Zen 4, in
 * order 28 against 40 GB/s on Zen 5). Several queries are multiplied as one is, so that a row of results does not
 * depend on how many there are. */
const fv_row_kernels fv_avx512_row = {ROW_FAMILY(&fv_avx2_f32_reads)};
