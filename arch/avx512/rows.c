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

enum { ROW_KEY_BLOCK = 64 };

const fv_row_kernels fv_avx512_row = {
    .key_block = ROW_KEY_BLOCK,
    .read = FV_ROW_READS,
    .peak = peak,
    .softcap = row_softcap,
    .add_terms = row_add_terms,
    .exponentials = row_exponentials,
    .scale = row_scale,
    .log_sum_exp = log_sum_exp,
};
