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

enum { ROW_KEY_BLOCK = 64 };

const fv_row_kernels fv_avx2_row = {
    .key_block = ROW_KEY_BLOCK,
    .read = FV_ROW_READS,
    .peak = peak,
    .softcap = row_softcap,
    .add_terms = row_add_terms,
    .exponentials = row_exponentials,
    .scale = row_scale,
    .log_sum_exp = log_sum_exp,
};
