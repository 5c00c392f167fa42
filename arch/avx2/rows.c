/* Row family on AVX2. */
#include "arch/avx2/vec.h"

#include "arch/avx2/elements.h"

#define ROWS_AT_ONCE 4
#define ROW_DOT_KEYS(rows) ((rows) <= 2 ? 2 : 1)
#define ROW_SUM_KEYS 4
#define ROW_HOLD(x) __asm__("" : "+x"(x))
#include "arch/common/exp2.h"
#include "arch/common/row_steps.h"

#include "arch/avx2/kernels.h"

const fv_row_kernels fv_avx2_row = {
    ROW_FAMILY,
    .key_block = 64,
};
