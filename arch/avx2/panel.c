/* Panel family on AVX2. Sixteen registers: tiles of 6 keys (or value elements) x 2 vectors leave room for two vectors
 * of lanes and the broadcast element. */
#include "arch/avx2/vec.h"

#include "arch/avx2/elements.h"

#define PANEL_VECTORS 2
#define PANEL_KEYS_1 12
#define PANEL_KEYS_2 6
#define PANEL_DIMS_1 12
#define PANEL_DIMS_2 6
#define PANEL_FIRST_1 8
#define PANEL_FIRST_2 4
#define PANEL_AHEAD 0
#define PANEL_LINE_VECTORS PANEL_VECTORS
#include "arch/common/panel_family.inc"

#include "arch/avx2/kernels.h"

const fv_panel_kernels fv_avx2_panel = {
    PANEL_FAMILY,           .key_block = 192,     .key_block_short = 288,
    .key_block_single = 72, .copying_lanes = 768, .tile_keys = PANEL_KEYS_2,
};
