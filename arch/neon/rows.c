/* Row family on NEON. */
#include "arch/neon/vec.h"

#include "arch/neon/elements.h"

#define ROWS_AT_ONCE 4
#define ROW_DOT_KEYS(bytes, rows) ((rows) <= 2 ? 2 : 1)
#define ROW_DOT_SUMS 2
#define ROW_SUM_KEYS(bytes) 4
#define ROW_STRIP(rows) 2
#define ROW_KEYS(bytes) ((bytes) == 2 ? 32 : 64)
#define ROW_IN_PIECES 0
#define ROW_HOLD(x) __asm__("" : "+w"(x))
#include "arch/common/exp2.h"
#include "arch/common/row_steps.h"

#include "arch/neon/kernels.h"

const fv_row_kernels fv_neon_row = {ROW_FAMILY};
const fv_row_reads fv_neon_f32_reads = ROW_READS(f32, 4);
const fv_row_reads fv_neon_f16_reads = ROW_READS(f16, 2);
const fv_row_reads fv_neon_bf16_reads = ROW_READS(bf16, 2);
const fv_row_reads fv_neon_int8_reads = INT8_READS;
