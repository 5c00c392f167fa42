/* Pair family on AMX-BF16. */
#include "arch/avx512/vec.h"

#include "arch/avx512/elements.h"

#include "arch/avx512bf16/pairs.h"

#include "arch/amxbf16/matrix.h"

#define MATRIX_VECTORS 3
#include "arch/common/matrix_family.inc"

#include "arch/amxbf16/kernels.h"

const fv_pair_kernels fv_amxbf16_pair = {
    MATRIX_FAMILY,
    .key_block = 288,
    .key_block_short = 288,
};
