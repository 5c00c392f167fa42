/* The attention of one head in one batch entry as a picture's data: rows are queries, columns are keys. */
#ifndef FOVEA_CLI_ATTENTION_MAP_H
#define FOVEA_CLI_ATTENTION_MAP_H

#include "problem.h"
#include "tokens.h"

/* A larger picture cannot be read; what is beyond is left out, and the caption says so. */
enum { MAP_MAX = 128 };

typedef struct attention_map {
    /* Printable; NULL: none was given. */
    char *title;
    /* rows x columns probabilities, row-major with stride `ld`. */
    float *p;
    int64_t rows, columns, ld;
    /* What there is, in rows and in columns. */
    int64_t all_rows, all_columns;
    /* Labels; never NULL within rows and columns. */
    const token_list *row_tokens, *column_tokens;
    token_list own_tokens[2];
} attention_map;

/* Checks what was asked for and loads the labels, so that mistakes show before a long computation. attention_map_free
 * gives everything back, also after a failure. */
cli_status attention_map_prepare(const run_options *options, const run_problem *problem, attention_map *map);

/* Fills map->p with a call of its own, for one head. The problem has been executed, so its sizes are known to be sound.
 */
cli_status attention_map_compute(const run_options *options, const run_problem *problem, attention_map *map);

void attention_map_free(attention_map *map);

/* Largest probability, and the column of the largest one of a row. */
float attention_map_max(const attention_map *map);
int64_t attention_map_best(const attention_map *map, int64_t row);

/* Says what of the problem is shown; an empty text if it is everything. */
void attention_map_cut(const attention_map *map, char *text, size_t size);

#endif
