/* Panel family on NEON. Thirty-two registers: a score tile of 6 keys x 3 vectors holds 18 accumulators and four
 * elements of each key, which 12 vectors of lanes pass by; a value tile of 8 elements x 3 vectors holds 24
 * accumulators. Fewer than 16 accumulators would wait for each other on four pipes with a latency of four cycles. */
#include "arch/neon/vec.h"

#define PANEL_VECTORS 3
#define PANEL_KEYS_1 15
#define PANEL_KEYS_2 10
#define PANEL_KEYS_3 6
#define PANEL_DIMS_1 16
#define PANEL_DIMS_2 12
#define PANEL_DIMS_3 8
#define PANEL_FIRST_1 16
#define PANEL_FIRST_2 12
#define PANEL_FIRST_3 8
#include "arch/common/panel_family.inc"

#include "arch/neon/kernels.h"

const fv_panel_kernels fv_neon_panel = {
    PANEL_FAMILY,
    .key_block = 192,
    .key_block_short = 192,
    .tile_keys = PANEL_KEYS_3,
};
