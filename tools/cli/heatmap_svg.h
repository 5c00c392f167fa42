/* An attention map as an SVG picture. */
#ifndef FOVEA_CLI_HEATMAP_SVG_H
#define FOVEA_CLI_HEATMAP_SVG_H

#include <stdio.h>

#include "attention_map.h"

/* Writes a standalone SVG 1.1 file; ferror says whether it failed. */
void heatmap_svg(FILE *file, const attention_map *map);

#endif
