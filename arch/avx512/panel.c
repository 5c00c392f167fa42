/* Panel family on AVX-512. Thirty-two registers: tiles of 8 keys (or value elements) x 3 vectors leave room for three
 * vectors of lanes, three sums and the broadcast element. */
#include "arch/avx512/vec.h"

#include "arch/common/ahead.h"
#include "arch/common/exp2.h"
#include "arch/common/panel_steps.h"
#include "arch/common/tile_name.h"

#include "arch/avx512/kernels.h"

enum { PANEL_VECTORS = 3, KEY_BLOCK = 192, KEY_BLOCK_SHORT = 192 };
#define TILE_HEIGHT 8

#define TILE_VECTORS 1
#define TILE_MAIN 16
#define TILE_EXP 0
#include "arch/common/score_run.inc"
#define TILE_VECTORS 1
#define TILE_MAIN 16
#define TILE_EXP 1
#include "arch/common/score_run.inc"
#define TILE_VECTORS 2
#define TILE_MAIN 12
#define TILE_EXP 0
#include "arch/common/score_run.inc"
#define TILE_VECTORS 2
#define TILE_MAIN 12
#define TILE_EXP 1
#include "arch/common/score_run.inc"
#define TILE_VECTORS 3
#define TILE_MAIN TILE_HEIGHT
#define TILE_EXP 0
#include "arch/common/score_run.inc"
#define TILE_VECTORS 3
#define TILE_MAIN TILE_HEIGHT
#define TILE_EXP 1
#include "arch/common/score_run.inc"

#define TILE_VECTORS 1
#define TILE_MAIN 16
#define TILE_FIRST 16
#include "arch/common/value_run.inc"
#define TILE_VECTORS 2
#define TILE_MAIN 12
#define TILE_FIRST 12
#include "arch/common/value_run.inc"
#define TILE_VECTORS 3
#define TILE_MAIN TILE_HEIGHT
#define TILE_FIRST TILE_HEIGHT
#include "arch/common/value_run.inc"

static void scores(const fv_score_args *a) {
    if (a->vectors == 3)
        scores_3_0_run(a);
    else if (a->vectors == 2)
        scores_2_0_run(a);
    else
        scores_1_0_run(a);
}

static void scores_exp(const fv_score_args *a) {
    if (a->vectors == 3)
        scores_3_1_run(a);
    else if (a->vectors == 2)
        scores_2_1_run(a);
    else
        scores_1_1_run(a);
}

static void values(const fv_value_args *a) {
    if (a->vectors == 3)
        values_3_all_dims(a);
    else if (a->vectors == 2)
        values_2_all_dims(a);
    else
        values_1_all_dims(a);
}

const fv_panel_kernels fv_avx512_panel = {
    .lanes = V_LANES,
    .vectors = PANEL_VECTORS,
    .key_block = KEY_BLOCK,
    .key_block_short = KEY_BLOCK_SHORT,
    .tile_keys = TILE_HEIGHT,
    .pack = pack,
    .unpack = unpack,
    .scores = scores,
    .scores_exp = scores_exp,
    .mask_lanes = mask_lanes,
    .peaks = peaks,
    .softcap = softcap,
    .add_terms = add_terms,
    .exponentials = exponentials,
    .rescale = rescale,
    .values = values,
    .values_marked = values_marked,
};
