/* The pair family for panels of 3 vectors of 16 lanes, emulated. */
#define V_LANES 16
#include "emulated_vec.h"

#define PANEL_VECTORS 3
#define PANEL_KEYS_1 16
#define PANEL_KEYS_2 12
#define PANEL_DIMS_1 16
#define PANEL_DIMS_2 12
#define PANEL_KEYS_3 8
#define PANEL_DIMS_3 8
#define PANEL_AHEAD 0
#define PANEL_LINE_VECTORS 1
#include "arch/common/pair_family.inc"

#include "emulated_pairs.h"

const fv_pair_kernels emulated_pairs_16 = {
    PAIR_FAMILY,
    .key_block = 32,
    .key_block_short = 48,
    .tile_keys = PANEL_KEYS_3,
};
