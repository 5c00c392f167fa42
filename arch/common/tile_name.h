/* Names of the functions that the tile templates make. */
#ifndef FOVEA_ARCH_COMMON_TILE_NAME_H
#define FOVEA_ARCH_COMMON_TILE_NAME_H

#define FV_TILE_PASTE(stem, a, b, c) stem##_##a##_##b##_##c
#define FV_TILE_NAME(stem, a, b, c) FV_TILE_PASTE(stem, a, b, c)

#endif
