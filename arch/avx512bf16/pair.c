/* Pair family on AVX512-BF16: AVX-512's shapes of tiles, for the registers are the same. */
#include "arch/avx512/vec.h"

#include "arch/avx512/elements.h"
#include "arch/avx512/shapes.h"

#include "arch/avx512bf16/pairs.h"

#include "arch/common/pair_family.inc"

#include "arch/avx512bf16/kernels.h"

const fv_pair_kernels fv_avx512bf16_pair = {
    PAIR_FAMILY,
    PANEL_BLOCKS,
};
