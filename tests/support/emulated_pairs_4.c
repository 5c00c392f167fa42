/* The pair family for panels of 3 vectors of 4 lanes, emulated. */
#define V_LANES 4
#include "emulated_vec.h"

#define PANEL_VECTORS 3
#define PANEL_KEYS_1 6
#define PANEL_KEYS_2 6
#define PANEL_DIMS_1 6
#define PANEL_DIMS_2 6
#define PANEL_KEYS_3 6
#define PANEL_DIMS_3 6
#define PANEL_AHEAD 0
#define PANEL_LINE_VECTORS 1
#include "arch/common/pair_family.inc"

#include "emulated_pairs.h"

const fv_pair_kernels emulated_pairs_4 = {
    PAIR_FAMILY,
    .key_block = 32,
    .key_block_short = 48,
    .tile_keys = PANEL_KEYS_3,
};
