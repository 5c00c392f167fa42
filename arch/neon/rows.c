/* Row family on NEON. */
#include "arch/neon/vec.h"

#include "arch/neon/elements.h"

#define ROWS_AT_ONCE 4
#define ROW_DOT_KEYS(rows) ((rows) <= 2 ? 2 : 1)
#define ROW_SUM_KEYS 4
#define ROW_HOLD(x) __asm__("" : "+w"(x))
#include "arch/common/exp2.h"
#include "arch/common/row_steps.h"

#include "arch/neon/kernels.h"

const fv_row_kernels fv_neon_row = {
    ROW_FAMILY,
    .key_block = 64,
};
