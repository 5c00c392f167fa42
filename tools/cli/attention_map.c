#include "attention_map.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "utf8.h"

static int64_t smaller(int64_t a, int64_t b) {
    return a < b ? a : b;
}

/* Loads the labels of one axis, or numbers it. *length becomes the number of labels where there are fewer: what is past
 * them is padding. */
static cli_status load_labels(const char *path, int64_t entry, int64_t *length, token_list *list) {
    if (!path)
        return tokens_number(*length, list);
    cli_status status = tokens_load(path, entry, list);
    if (status != CLI_OK)
        return status;
    if (list->count == 0 && *length > 0)
        return cli_fail(CLI_BAD_INPUT, "%s: no tokens for batch entry %" PRId64, path, entry);
    if (list->count > *length)
        return cli_fail(CLI_BAD_INPUT, "%s: %" PRId64 " tokens for batch entry %" PRId64 ", which has %" PRId64, path,
                        list->count, entry, *length);
    *length = list->count;
    return CLI_OK;
}

/* Where queries and keys are the same tokens, one file labels both. */
static cli_status label(const run_options *o, const run_problem *p, int64_t keys, attention_map *map) {
    const char *rows = o->query_tokens ? o->query_tokens : p->desc.len_q == p->desc.len_kv ? o->tokens : NULL;
    map->all_rows = p->desc.len_q;
    map->all_columns = keys;
    cli_status status = load_labels(rows, o->entry, &map->all_rows, &map->own_tokens[0]);
    if (status == CLI_OK)
        status = load_labels(o->tokens, o->entry, &map->all_columns, &map->own_tokens[1]);
    map->row_tokens = &map->own_tokens[0];
    map->column_tokens = &map->own_tokens[1];
    map->rows = smaller(map->all_rows, MAP_MAX);
    map->columns = smaller(map->all_columns, MAP_MAX);
    return status;
}

cli_status attention_map_prepare(const run_options *options, const run_problem *problem, attention_map *map) {
    memset(map, 0, sizeof *map);
    if (options->entry >= problem->desc.batch)
        return cli_fail(CLI_BAD_INPUT, "--entry: there are %" PRId64 " batch entries", problem->desc.batch);
    if (options->head >= problem->desc.heads_q)
        return cli_fail(CLI_BAD_INPUT, "--head: there are %" PRId64 " query heads", problem->desc.heads_q);
    if (options->title) {
        map->title = strdup(options->title);
        if (!map->title)
            return cli_fail_memory();
        utf8_clean(map->title);
    }
    int64_t keys = smaller(problem_keys(problem, options->entry), problem->desc.len_kv);
    return label(options, problem, keys > 0 ? keys : 0, map);
}

static const void *element(const void *data, const int64_t *strides, int64_t entry, int64_t head, size_t size) {
    return data ? (const char *)data + (entry * strides[0] + head * strides[1]) * (int64_t)size : NULL;
}

/* Narrows the problem to one head of one batch entry and to the first `rows` rows; diagonals become an offset, which
 * the number of rows does not move. */
static void narrow(const run_options *o, const run_problem *p, int64_t rows, const int64_t *diagonal,
                   fovea_attention_desc *desc, fovea_attention_args *args) {
    const int64_t head_kv = o->head / (p->desc.heads_q / p->desc.heads_kv);
    *desc = p->desc;
    *args = p->args;
    desc->batch = desc->heads_q = desc->heads_kv = 1;
    desc->len_q = args->len_q = rows;
    desc->outputs = 0;
    desc->weights = FOVEA_WEIGHTS_PROBABILITIES;
    desc->diagonal = FOVEA_DIAGONAL_OFFSETS;
    args->query_offsets = diagonal;
    args->q = element(args->q, args->q_strides, o->entry, o->head, sizeof(float));
    args->k = element(args->k, args->k_strides, o->entry, head_kv, sizeof(float));
    args->v = element(args->v, args->v_strides, o->entry, head_kv, sizeof(float));
    args->mask = element(args->mask, args->mask_strides, o->entry, o->head, 1);
    args->bias = element(args->bias, args->bias_strides, o->entry, o->head, sizeof(float));
    args->alibi_slopes = element(args->alibi_slopes, args->alibi_strides, o->entry, o->head, sizeof(float));
    if (args->sinks)
        args->sinks += o->head;
    if (args->key_lengths)
        args->key_lengths = (const int64_t *)args->key_lengths + o->entry;
    args->lse = NULL;
}

cli_status attention_map_compute(const run_options *o, const run_problem *p, attention_map *map) {
    fovea_attention_desc desc;
    fovea_attention_args args;
    const int64_t diagonal = problem_diagonal(p, o->entry), width = p->desc.head_dim_v;
    narrow(o, p, map->rows, &diagonal, &desc, &args);
    map->ld = p->desc.len_kv;
    map->p = calloc((size_t)(map->rows * map->ld) + 1, sizeof *map->p);
    /* The output that comes with the weights is not wanted. */
    float *out = calloc((size_t)map->rows + 1, (size_t)width * sizeof *out);
    if (!map->p || !out) {
        free(out);
        return cli_fail_memory();
    }
    args.weights = map->p;
    memcpy(args.weights_strides, (int64_t[]){0, 0, map->ld, 1}, sizeof args.weights_strides);
    args.out = out;
    memcpy(args.out_strides, (int64_t[]){0, 0, width, 1}, sizeof args.out_strides);
    fovea_status status = fovea_attention(&desc, &args, NULL);
    free(out);
    return status == FOVEA_OK ? CLI_OK : cli_fail_library(status);
}

void attention_map_free(attention_map *map) {
    free(map->p);
    free(map->title);
    tokens_free(&map->own_tokens[0]);
    tokens_free(&map->own_tokens[1]);
    memset(map, 0, sizeof *map);
}

int64_t attention_map_best(const attention_map *map, int64_t row) {
    int64_t best = 0;
    for (int64_t j = 1; j < map->columns; j++)
        if (map->p[row * map->ld + j] > map->p[row * map->ld + best])
            best = j;
    return best;
}

float attention_map_max(const attention_map *map) {
    float max = 0;
    for (int64_t i = 0; i < map->rows && map->columns > 0; i++) {
        float p = map->p[i * map->ld + attention_map_best(map, i)];
        max = p > max ? p : max;
    }
    return max;
}

void attention_map_cut(const attention_map *map, char *text, size_t size) {
    *text = '\0';
    if (map->rows < map->all_rows || map->columns < map->all_columns)
        snprintf(text, size, "the first %" PRId64 " of %" PRId64 " rows and %" PRId64 " of %" PRId64 " columns",
                 map->rows, map->all_rows, map->columns, map->all_columns);
}
