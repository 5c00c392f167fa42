/* Shapes of the register tiles on AVX-512, for every family that multiplies in zmm registers. Thirty-two of them: tiles
 * of 8 keys (or value elements) x 3 vectors leave room for three vectors of lanes, three sums and the broadcast
 * element. */
#ifndef FOVEA_ARCH_AVX512_SHAPES_H
#define FOVEA_ARCH_AVX512_SHAPES_H

/* See arch/common/panel_family.inc. */
#define PANEL_VECTORS 3
#define PANEL_KEYS_1 16
#define PANEL_KEYS_2 12
#define PANEL_KEYS_3 8
#define PANEL_DIMS_1 16
#define PANEL_DIMS_2 12
#define PANEL_DIMS_3 8
#define PANEL_AHEAD 8
#define PANEL_LINE_VECTORS PANEL_VECTORS

/* Members of the table that go with them. */
#define PANEL_BLOCKS .key_block = 192, .key_block_short = 288, .tile_keys = PANEL_KEYS_3

#endif
