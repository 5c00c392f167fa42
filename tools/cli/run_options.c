#include "run_options.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arguments.h"
#include "fovea/isa.h"

/* X(identifier, name, short name, value, words of an optional value, help) */
#define RUN_OPTIONS(X)                                                                                              \
    X(OUTPUT, "--output", "-o", "FILE", NULL, "write the result here")                                              \
    X(LSE, "--lse", NULL, "FILE", NULL, "write the log-sum-exp of every row, (B, H, Sq)")                           \
    X(WEIGHTS, "--weights", NULL, "FILE", NULL, "write the probabilities, (B, H, Sq, Sk)")                          \
    X(WEIGHTS_KIND, "--weights-kind", NULL, "KIND", NULL,                                                           \
      "what --weights writes instead: scaled-scores,\ncapped-scores, masked-scores or mean-probabilities")          \
    X(LAYOUT, "--layout", NULL, "ORDER", NULL, "axes of 3-D and 4-D files: bhsd (default) or bshd")                 \
    X(HEADS, "--heads", NULL, "N", NULL, "the last axis holds N query heads side by side")                          \
    X(HEADS_KV, "--heads-kv", NULL, "N", NULL, "and N key/value heads (default: what the file's width gives)")      \
    X(SCALE, "--scale", NULL, "X", NULL, "factor of the dot products (default 1/sqrt(D))")                          \
    X(SOFTCAP, "--softcap", NULL, "X", NULL, "scores become X tanh(score / X)")                                     \
    X(CAUSAL, "--causal", NULL, "DIAGONAL", "top-left|bottom-right",                                                \
      "no row looks past its diagonal, which starts at the\nfirst key or (default) ends at the last")               \
    X(DIAGONAL, "--diagonal", NULL, "DIAGONAL", NULL,                                                               \
      "the same choice for --window or --alibi-slopes\nwithout --causal")                                           \
    X(QUERY_OFFSETS, "--query-offsets", NULL, "FILE", NULL, "the diagonal starts at these keys, one a batch entry") \
    X(WINDOW, "--window", NULL, "L,R", NULL, "only L keys before and R after the diagonal; -1: no limit")           \
    X(MASK, "--mask", NULL, "FILE", NULL, "bool or uint8, broadcast to (B, H, Sq, Sk): true may attend")            \
    X(BIAS, "--bias", NULL, "FILE", NULL, "float32, broadcast likewise, added to the scores")                       \
    X(ALIBI_SLOPES, "--alibi-slopes", NULL, "FILE", NULL,                                                           \
      "float32, broadcast to (B, H): times the distance from\nthe diagonal, subtracted from the scores")            \
    X(SINKS, "--sinks", NULL, "FILE", NULL, "float32, (H): a logit of each head that has no value")                 \
    X(KEY_LENGTHS, "--key-lengths", NULL, "FILE", NULL, "valid keys of each batch entry, int32 or int64")           \
    X(COMPARE, "--compare", NULL, "FILE", NULL, "compare the result with this file; exit status 1 if they\ndiffer") \
    X(TOLERANCE, "--tolerance", NULL, "X", NULL, "largest difference allowed (default 1e-5)")                       \
    X(HEATMAP, "--heatmap", NULL, NULL, NULL, "show which token attends to which")                                  \
    X(HEATMAP_SVG, "--heatmap-svg", NULL, "FILE", NULL, "write the same as a picture")                              \
    X(ENTRY, "--entry", NULL, "N", NULL, "batch entry of the heat map (default 0)")                                 \
    X(HEAD, "--head", NULL, "N", NULL, "query head of the heat map (default 0)")                                    \
    X(TOKENS, "--tokens", NULL, "FILE", NULL, "its labels: a line a batch entry, separated by spaces")              \
    X(QUERY_TOKENS, "--query-tokens", NULL, "FILE", NULL, "labels of the rows, where queries are not the keys")     \
    X(TITLE, "--title", NULL, "TEXT", NULL, "its title")                                                            \
    X(ISA, "--isa", NULL, "NAME", NULL, "best backend to use, see 'fovea info'")                                    \
    X(EXP, "--exp", NULL, "NAME", NULL, "exponential: sleef or fused")                                              \
    X(THREADS, "--threads", NULL, "N", NULL, "threads at most (default: OpenMP's)")                                 \
    X(JSON, "--json", NULL, NULL, NULL, "report as one JSON object")                                                \
    X(QUIET, "--quiet", "-q", NULL, NULL, "no report, no progress")                                                 \
    X(VERBOSE, "--verbose", NULL, NULL, NULL, "say on stderr how it is computed")

enum {
#define IDENTIFIER(identifier, ...) identifier,
    RUN_OPTIONS(IDENTIFIER)
#undef IDENTIFIER
};

static const cli_option table[] = {
#define LINE(identifier, ...) {__VA_ARGS__},
    RUN_OPTIONS(LINE)
#undef LINE
        {0}};

static const cli_command command = {
    .name = "run",
    .usage = "Q.npy K.npy V.npy [OPTION]...",
    .about = "Computes softmax(Q K^T) V of float32 .npy files of shape (S, D), (H, S, D) or (B, H, S, D).\n"
             "K and V may have fewer heads than Q.",
    .options = table,
    .max_positional = 3,
};

/* Sets *value to first + the position of `text` among the words. */
static cli_status take_word(const char *option, const char *words, const char *text, int32_t first, int32_t *value) {
    int32_t index = cli_find_word(words, text);
    if (index < 0)
        return cli_fail_usage(command.name, "option '%s' takes one of %s", option, words);
    *value = first + index;
    return CLI_OK;
}

static cli_status take_diagonal(run_options *o, const char *option, const char *text) {
    int32_t index = FOVEA_DIAGONAL_BOTTOM_RIGHT;
    cli_status status = take_word(option, "bottom-right|top-left", text, FOVEA_DIAGONAL_BOTTOM_RIGHT, &index);
    if (status != CLI_OK)
        return status;
    if (o->has_diagonal && o->diagonal != (fovea_diagonal)index)
        return cli_fail_usage(command.name, "two different diagonals");
    o->has_diagonal = true;
    o->diagonal = (fovea_diagonal)index;
    return CLI_OK;
}

/* One side of a window: -1 leaves it open. */
static cli_status take_side(const char *text, bool *has, int64_t *value) {
    cli_status status = cli_parse_integer("--window", text, -1, INT64_MAX, value);
    *has = status == CLI_OK && *value >= 0;
    if (!*has)
        *value = 0;
    return status;
}

static cli_status take_window(run_options *o, const char *text) {
    char left[32];
    const char *comma = strchr(text, ',');
    if (!comma || (size_t)(comma - text) >= sizeof left)
        return cli_fail_usage(command.name, "option '--window' takes two numbers: L,R");
    memcpy(left, text, (size_t)(comma - text));
    left[comma - text] = '\0';
    cli_status status = take_side(left, &o->has_left, &o->left);
    return status == CLI_OK ? take_side(comma + 1, &o->has_right, &o->right) : status;
}

static cli_status take_float(const char *option, const char *text, float *value) {
    double number;
    cli_status status = cli_parse_number(option, text, &number);
    *value = status == CLI_OK ? (float)number : 0;
    if (status == CLI_OK && !isfinite(*value))
        return cli_fail(CLI_BAD_INPUT, "%s: '%s' does not fit float32", option, text);
    return status;
}

static cli_status take_isa(run_options *o, const char *text) {
    fovea_status status = fovea_isa_parse(text, &o->isa);
    return status == FOVEA_OK ? CLI_OK : cli_fail_library(status);
}

static cli_status take_exp(run_options *o, const char *text) {
    int32_t index = FOVEA_EXP_DEFAULT;
    cli_status status = take_word("--exp", "sleef|fused", text, FOVEA_EXP_SLEEF, &index);
    o->exp = (fovea_exp)index;
    return status;
}

static cli_status take_layout(run_options *o, const char *text) {
    int32_t index = RUN_BHSD;
    cli_status status = take_word("--layout", "bhsd|bshd", text, RUN_BHSD, &index);
    o->layout = (run_layout)index;
    return status;
}

static cli_status take_weights_kind(run_options *o, const char *text) {
    int32_t index = FOVEA_WEIGHTS_PROBABILITIES;
    cli_status status =
        take_word("--weights-kind", "probabilities|scaled-scores|capped-scores|masked-scores|mean-probabilities", text,
                  FOVEA_WEIGHTS_PROBABILITIES, &index);
    o->weights_kind = (fovea_weights)index;
    return status;
}

static cli_status take_threads(run_options *o, const char *text) {
    int64_t threads = 0;
    cli_status status = cli_parse_integer("--threads", text, 1, 4096, &threads);
    o->threads = (int32_t)threads;
    return status;
}

static cli_status set(const char **field, const char *value) {
    *field = value;
    return CLI_OK;
}

static cli_status raise_flag(bool *flag) {
    *flag = true;
    return CLI_OK;
}

static cli_status take(void *target, int32_t index, const char *value) {
    run_options *o = target;
    const char *option = table[index].name;
    switch (index) {
    case OUTPUT:
        return set(&o->out, value);
    case LSE:
        return set(&o->lse, value);
    case WEIGHTS:
        return set(&o->weights, value);
    case WEIGHTS_KIND:
        return take_weights_kind(o, value);
    case LAYOUT:
        return take_layout(o, value);
    case HEADS:
        return cli_parse_integer(option, value, 1, INT64_MAX, &o->heads);
    case HEADS_KV:
        return cli_parse_integer(option, value, 1, INT64_MAX, &o->heads_kv);
    case SCALE:
        o->has_scale = true;
        return take_float(option, value, &o->scale);
    case SOFTCAP:
        return take_float(option, value, &o->softcap);
    case CAUSAL:
        o->causal = true;
        return value ? take_diagonal(o, option, value) : CLI_OK;
    case DIAGONAL:
        return take_diagonal(o, option, value);
    case QUERY_OFFSETS:
        return set(&o->query_offsets, value);
    case WINDOW:
        return take_window(o, value);
    case MASK:
        return set(&o->mask, value);
    case BIAS:
        return set(&o->bias, value);
    case ALIBI_SLOPES:
        return set(&o->alibi_slopes, value);
    case SINKS:
        return set(&o->sinks, value);
    case KEY_LENGTHS:
        return set(&o->key_lengths, value);
    case COMPARE:
        return set(&o->compare, value);
    case TOLERANCE:
        o->has_tolerance = true;
        return cli_parse_tolerance(option, value, &o->tolerance);
    case HEATMAP:
        return raise_flag(&o->heatmap);
    case HEATMAP_SVG:
        return set(&o->heatmap_svg, value);
    case ENTRY:
        o->has_place = true;
        return cli_parse_integer(option, value, 0, INT64_MAX, &o->entry);
    case HEAD:
        o->has_place = true;
        return cli_parse_integer(option, value, 0, INT64_MAX, &o->head);
    case TOKENS:
        return set(&o->tokens, value);
    case QUERY_TOKENS:
        return set(&o->query_tokens, value);
    case TITLE:
        return set(&o->title, value);
    case ISA:
        return take_isa(o, value);
    case EXP:
        return take_exp(o, value);
    case THREADS:
        return take_threads(o, value);
    case JSON:
        return raise_flag(&o->json);
    case QUIET:
        return raise_flag(&o->quiet);
    case VERBOSE:
        return raise_flag(&o->verbose);
    }
    return CLI_BAD_INPUT;
}

/* Options that contradict each other, or that would do nothing: silence would look like success. */
static cli_status check(const run_options *o) {
    bool diagonal_used = o->causal || o->has_left || o->has_right || o->alibi_slopes;
    if (!o->out && !o->lse && !o->weights && !o->compare && !o->heatmap && !o->heatmap_svg)
        return cli_fail_usage(command.name, "nothing to do: name an output with -o, --compare or --heatmap");
    if (o->weights_kind && !o->weights)
        return cli_fail_usage(command.name, "--weights-kind has no effect without --weights");
    if (o->heads_kv && !o->heads)
        return cli_fail_usage(command.name, "--heads-kv needs --heads");
    if (o->heads && o->layout != RUN_BHSD)
        return cli_fail_usage(command.name, "--heads and --layout exclude each other");
    if (o->query_offsets && o->has_diagonal)
        return cli_fail_usage(command.name, "--query-offsets excludes another diagonal");
    if ((o->query_offsets || o->has_diagonal) && !diagonal_used)
        return cli_fail_usage(command.name, "a diagonal has no effect without --causal, --window or --alibi-slopes");
    if (o->heatmap && o->json)
        return cli_fail_usage(command.name, "--heatmap and --json exclude each other");
    if (o->has_tolerance && !o->compare)
        return cli_fail_usage(command.name, "--tolerance has no effect without --compare");
    if (o->has_place && !o->heatmap && !o->heatmap_svg)
        return cli_fail_usage(command.name, "--entry and --head have no effect without --heatmap or --heatmap-svg");
    if ((o->tokens || o->query_tokens || o->title) && !o->heatmap && !o->heatmap_svg)
        return cli_fail_usage(command.name, "labels have no effect without --heatmap or --heatmap-svg");
    return CLI_OK;
}

cli_status run_options_parse(int argc, char **argv, run_options *options, int *helped) {
    const char *files[3];
    int32_t count;
    *options = (run_options){.tolerance = 1e-5};
    cli_status status = cli_parse(&command, argc, argv, take, options, files, &count, helped);
    if (status != CLI_OK || *helped)
        return status;
    if (count != 3)
        return cli_fail_usage(command.name, "three files are needed: queries, keys and values");
    options->q = files[0];
    options->k = files[1];
    options->v = files[2];
    return check(options);
}
