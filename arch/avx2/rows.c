/* Row family on AVX2. */
#include "arch/avx2/vec.h"

#include "arch/avx2/elements.h"

#define ROWS_AT_ONCE 4
#define ROW_DOT_KEYS(bytes, rows) ((bytes) == 4 && (rows) == 1 ? 1 : 2)
#define ROW_DOT_SUMS 1
#define ROW_SUM_KEYS(bytes) ((bytes) == 4 ? 1 : 4)
#define ROW_STRIP(rows) ((rows) == 2 ? 4 : 2)
#define ROW_KEYS(bytes) FV_MAX_RUN
#define ROW_IN_PIECES 1
#define ROW_PIECE_STRIP 4
#define ROW_HOLD(x) __asm__("" : "+x"(x))
#include "arch/common/exp2.h"
#include "arch/common/row_steps.h"

#include "arch/avx2/kernels.h"

const fv_row_kernels fv_avx2_row = {ROW_FAMILY};
const fv_row_reads fv_avx2_f32_reads = ROW_READS(f32, 4);
const fv_row_reads fv_avx2_f16_reads = ROW_READS(f16, 2);
const fv_row_reads fv_avx2_bf16_reads = ROW_READS(bf16, 2);
const fv_row_reads fv_avx2_int8_reads = INT8_READS;
