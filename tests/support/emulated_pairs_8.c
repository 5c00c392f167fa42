/* The pair family for panels of 2 vectors of 8 lanes, emulated. */
#define V_LANES 8
#include "emulated_vec.h"

#define PANEL_VECTORS 2
#define PANEL_KEYS_1 12
#define PANEL_KEYS_2 6
#define PANEL_DIMS_1 12
#define PANEL_DIMS_2 6
#define PANEL_AHEAD 0
#define PANEL_LINE_VECTORS 1
#include "arch/common/pair_family.inc"

#include "emulated_pairs.h"

const fv_pair_kernels emulated_pairs_8 = {
    PAIR_FAMILY,
    .key_block = 112,
    .key_block_short = 48,
    .tile_keys = PANEL_KEYS_2,
};
