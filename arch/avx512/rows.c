/* Row family on AVX-512. */
#include "arch/avx512/vec.h"

#include "arch/avx512/elements.h"

#define ROWS_AT_ONCE 8
#define ROW_DOT_KEYS(rows) ((rows) == 8 ? 1 : 2)
#define ROW_SUM_KEYS 4
#define ROW_HOLD(x) __asm__("" : "+v"(x))
#include "arch/common/exp2.h"
#include "arch/common/row_steps.h"

#include "arch/avx512/kernels.h"

const fv_row_kernels fv_avx512_row = {
    ROW_FAMILY,
    .key_block = 64,
};
