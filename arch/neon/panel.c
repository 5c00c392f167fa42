/* Panel family on NEON. A score tile of 6 keys x 3 vectors has 18 accumulators and holds four elements of each key,
 * which 12 vectors of lanes pass by; a value tile of 8 elements x 3 vectors has 24 accumulators, and in the first one 3
 * sums. Four pipes that answer after four cycles want 16 accumulators: narrow panels have longer tiles. */
#include "arch/neon/vec.h"

#include "arch/neon/elements.h"

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
#define PANEL_AHEAD 0
#define PANEL_LINE_VECTORS 0
#include "arch/common/panel_family.inc"

#include "arch/neon/kernels.h"

/* A column of values touches one cache line a key and uses half of it, the next column the other half. Lines 256 bytes
 * apart (64 elements) fall into a quarter of the cache's sets: 192 of them fit beside the probabilities into 64 KiB of
 * four ways. More elements, or a smaller cache, would want at most 96 keys to find the other half still there, and pay
 * more for the outputs, which every block reads and writes, than for asking the second-level cache twice. (Counted, not
 * timed.) */
enum { KEY_BLOCK = 192 };

const fv_panel_kernels fv_neon_panel = {
    PANEL_FAMILY,
    .key_block = KEY_BLOCK,
    .key_block_short = KEY_BLOCK,
    .tile_keys = PANEL_KEYS_3,
};
