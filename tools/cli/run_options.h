/* What `fovea run` was asked to do. */
#ifndef FOVEA_CLI_RUN_OPTIONS_H
#define FOVEA_CLI_RUN_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "fovea/attention.h"
#include "status.h"

/* Order of the axes in files of three and four dimensions. */
typedef enum run_layout { RUN_BHSD, RUN_BSHD } run_layout;

/* Paths are NULL where not given. */
typedef struct run_options {
    const char *q, *k, *v;
    const char *mask, *bias, *alibi_slopes, *sinks, *key_lengths, *query_offsets;

    run_layout layout;
    /* Heads that share the last axis; 0: the files have a head axis or one head. */
    int64_t heads, heads_kv;

    bool has_scale;
    float scale, softcap;
    bool causal;
    /* Whether the command line named the diagonal. */
    bool has_diagonal;
    fovea_diagonal diagonal;
    bool has_left, has_right;
    int64_t left, right;

    const char *out, *lse, *weights;
    /* What the weights are; FOVEA_WEIGHTS_NONE if the command line does not say. */
    fovea_weights weights_kind;

    fovea_isa isa;
    fovea_exp exp;
    int32_t threads;

    const char *compare;
    bool has_tolerance;
    double tolerance;

    bool heatmap;
    const char *heatmap_svg, *title;
    const char *tokens, *query_tokens;
    /* Whether the command line named the entry or the head. */
    bool has_place;
    int64_t entry, head;

    bool json, quiet, verbose;
} run_options;

/* Parses and checks what can be checked without the files. *helped: the help was printed, and there is nothing to do.
 */
cli_status run_options_parse(int argc, char **argv, run_options *options, int *helped);

#endif
