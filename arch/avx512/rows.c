/* Row family on AVX-512. */
#include "arch/avx512/vec.h"

#include "arch/avx512/elements.h"

#define ROW_DOT_KEYS(rows) 2
#define ROW_SUM_KEYS(rows) 4
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
