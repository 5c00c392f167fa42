/* Panel family on AVX-512. Thirty-two registers: tiles of 8 keys (or value elements) x 3 vectors leave room for three
 * vectors of lanes, three sums and the broadcast element. */
#include "arch/avx512/vec.h"

#include "arch/avx512/elements.h"

#define PANEL_VECTORS 3
#define PANEL_KEYS_1 16
#define PANEL_KEYS_2 12
#define PANEL_KEYS_3 8
#define PANEL_DIMS_1 16
#define PANEL_DIMS_2 12
#define PANEL_DIMS_3 8
#define PANEL_FIRST_1 16
#define PANEL_FIRST_2 12
#define PANEL_FIRST_3 8
#define PANEL_AHEAD 8
#define PANEL_LINE_VECTORS 1
#include "arch/common/panel_family.inc"

#include "arch/avx512/kernels.h"

const fv_panel_kernels fv_avx512_panel = {
    PANEL_FAMILY,
    .key_block = 192,
    .key_block_short = 288,
    .tile_keys = PANEL_KEYS_3,
};
