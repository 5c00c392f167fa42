/* An attention map in a terminal. */
#ifndef FOVEA_CLI_HEATMAP_TEXT_H
#define FOVEA_CLI_HEATMAP_TEXT_H

#include <stdio.h>

#include "attention_map.h"

/* Colours if `file` is a terminal that has them and NO_COLOR is unset or empty, else plain ASCII. */
void heatmap_text(FILE *file, const attention_map *map);

#endif
