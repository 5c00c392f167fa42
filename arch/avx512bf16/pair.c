/* Pair family on AVX512-BF16: tiles as in arch/avx512/panel.c, for the registers are the same. */
#include "arch/avx512/vec.h"

#include "arch/avx512/elements.h"

#include "arch/avx512bf16/pairs.h"

#define PANEL_VECTORS 3
#define PANEL_KEYS_1 16
#define PANEL_KEYS_2 12
#define PANEL_KEYS_3 8
#define PANEL_DIMS_1 16
#define PANEL_DIMS_2 12
#define PANEL_DIMS_3 8
#define PANEL_AHEAD 8
#define PANEL_LINE_VECTORS 1
#include "arch/common/pair_family.inc"

#include "arch/avx512bf16/kernels.h"

const fv_pair_kernels fv_avx512bf16_pair = {
    PAIR_FAMILY,
    .key_block = 192,
    .key_block_short = 288,
    .tile_keys = PANEL_KEYS_3,
};
