/* What the tile templates share: the names of the functions they make, and the distance between rows. */
#ifndef FOVEA_ARCH_COMMON_TILE_NAME_H
#define FOVEA_ARCH_COMMON_TILE_NAME_H

#define FV_TILE_PASTE(stem, a, b, c) stem##_##a##_##b##_##c
#define FV_TILE_NAME(stem, a, b, c) FV_TILE_PASTE(stem, a, b, c)

/* Distance between the rows of a panel: a literal where the tile has all the vectors a panel may have. */
#define TILE_LD(LD) (TILE_VECTORS == PANEL_VECTORS ? PANEL_VECTORS * V_LANES : (LD))

/* Stops the compiler from mixing the steps of an unrolled loop, for which it would need more registers than there are.
 */
#define FV_KEEP_ORDER() __asm__ volatile("" ::: "memory")

/* Hides from the compiler how a pointer or a count came to be: it would keep a register for every sum of the one and an
 * offset, and count by another than the other. */
#define FV_HIDE_ORIGIN(VALUE) __asm__("" : "+r"(VALUE))

#endif
