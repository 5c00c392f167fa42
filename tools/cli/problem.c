#include "problem.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "inputs.h"

enum { ACCEPT_F32 = 1u << NPY_F32, ACCEPT_MASK = 1u << NPY_BOOL | 1u << NPY_U8 };

/* The three tensors that make the problem, seen through one order of axes. */
typedef struct run_views {
    axis_order order;
    tensor_view q, k, v;
} run_views;

static cli_status need_equal(const char *what, const char *path, int64_t value, const char *other_path, int64_t other) {
    if (value == other)
        return CLI_OK;
    return cli_fail(CLI_BAD_INPUT, "%s: %s %" PRId64 ", but %s has %" PRId64, path, what, value, other_path, other);
}

static cli_status view_file(const char *path, const npy_array *array, const axis_order *order, int64_t heads,
                            tensor_view *view) {
    if (!tensor_view_of(&array->header, order, heads, view))
        return cli_fail(CLI_BAD_INPUT, "%s: %" PRId64 " heads do not divide a last axis of %" PRId64, path, heads,
                        array->header.shape[array->header.rank - 1]);
    return CLI_OK;
}

/* Heads that lie side by side in K's last axis, if the command line does not say. */
static int64_t joined_heads_kv(const run_options *o, const npy_header *k, int64_t head_dim) {
    int64_t width = k->shape[k->rank - 1];
    if (o->heads_kv || head_dim == 0 || width % head_dim || width == 0)
        return o->heads_kv ? o->heads_kv : o->heads;
    return width / head_dim;
}

static cli_status view_tensors(const run_options *o, const run_problem *p, run_views *views) {
    int32_t rank = p->q.header.rank;
    if (!axis_order_of(rank, o->layout == RUN_BSHD, o->heads > 0, &views->order))
        return cli_fail(CLI_BAD_INPUT, "%s: %d dimensions where %s are needed", o->q, rank,
                        o->heads ? "2 or 3 (with --heads)" : "2, 3 or 4");
    cli_status status = need_equal("dimensions", o->k, p->k.header.rank, o->q, rank);
    if (status == CLI_OK)
        status = need_equal("dimensions", o->v, p->v.header.rank, o->q, rank);
    if (status == CLI_OK)
        status = view_file(o->q, &p->q, &views->order, o->heads, &views->q);
    if (status != CLI_OK)
        return status;
    int64_t heads_kv = joined_heads_kv(o, &p->k.header, views->q.sizes[AXIS_WIDTH]);
    status = view_file(o->k, &p->k, &views->order, heads_kv, &views->k);
    return status == CLI_OK ? view_file(o->v, &p->v, &views->order, heads_kv, &views->v) : status;
}

static cli_status check_sizes(const run_options *o, const run_views *views) {
    const int64_t *q = views->q.sizes, *k = views->k.sizes, *v = views->v.sizes;
    const struct {
        const char *what, *path;
        int64_t value;
        const char *other_path;
        int64_t other;
    } pairs[] = {
        {"batch size", o->k, k[AXIS_BATCH], o->q, q[AXIS_BATCH]},
        {"head size", o->k, k[AXIS_WIDTH], o->q, q[AXIS_WIDTH]},
        {"batch size", o->v, v[AXIS_BATCH], o->q, q[AXIS_BATCH]},
        {"heads", o->v, v[AXIS_HEAD], o->k, k[AXIS_HEAD]},
        {"keys", o->v, v[AXIS_LENGTH], o->k, k[AXIS_LENGTH]},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        cli_status status =
            need_equal(pairs[i].what, pairs[i].path, pairs[i].value, pairs[i].other_path, pairs[i].other);
        if (status != CLI_OK)
            return status;
    }
    return CLI_OK;
}

static void describe(const run_options *o, const run_views *views, fovea_attention_desc *desc) {
    *desc = (fovea_attention_desc){
        .struct_size = sizeof *desc,
        .batch = views->q.sizes[AXIS_BATCH],
        .heads_q = views->q.sizes[AXIS_HEAD],
        .heads_kv = views->k.sizes[AXIS_HEAD],
        .len_q = views->q.sizes[AXIS_LENGTH],
        .len_kv = views->k.sizes[AXIS_LENGTH],
        .head_dim = views->q.sizes[AXIS_WIDTH],
        .head_dim_v = views->v.sizes[AXIS_WIDTH],
        .type_index = FOVEA_INDEX_INT64,
        .scale = o->scale,
        .has_scale = o->has_scale,
        .softcap = o->softcap,
        .diagonal = o->query_offsets ? FOVEA_DIAGONAL_OFFSETS : o->diagonal,
        .causal = o->causal,
        .window_left = o->left,
        .window_right = o->right,
        .has_window_left = o->has_left,
        .has_window_right = o->has_right,
        .inputs = (o->mask ? FOVEA_INPUT_MASK : 0u) | (o->bias ? FOVEA_INPUT_BIAS : 0u) |
                  (o->alibi_slopes ? FOVEA_INPUT_ALIBI : 0u) | (o->sinks ? FOVEA_INPUT_SINKS : 0u) |
                  (o->key_lengths ? FOVEA_INPUT_KEY_LENGTHS : 0u),
        .outputs = o->lse ? FOVEA_OUTPUT_LSE : 0u,
        .weights = o->weights && !o->weights_kind ? FOVEA_WEIGHTS_PROBABILITIES : o->weights_kind,
        .exp = o->exp,
        .isa_cap = o->isa,
        .threads = o->threads,
    };
}

/* The library judges the sizes before memory or time depends on them: files without elements may have any shape. */
static cli_status check_desc(const fovea_attention_desc *desc) {
    fovea_plan *plan;
    fovea_status status = fovea_plan_create(desc, &plan);
    if (status != FOVEA_OK)
        return cli_fail_library(status);
    fovea_plan_destroy(plan);
    return CLI_OK;
}

/* An array over `rank` axes, as far as a path is given; it may be smaller and is repeated then. */
static cli_status load_broadcast(const char *path, unsigned accepted, const char *axes, int32_t rank,
                                 const int64_t *sizes, npy_array *array, int64_t *strides) {
    char shape[128], needed[128];
    if (!path)
        return CLI_OK;
    cli_status status = input_load(path, accepted, array);
    if (status != CLI_OK || broadcast_strides(&array->header, rank, sizes, strides))
        return status;
    format_shape(shape, sizeof shape, array->header.rank, array->header.shape);
    format_shape(needed, sizeof needed, rank, sizes);
    return cli_fail(CLI_BAD_INPUT, "%s: shape %s does not broadcast to (%s) = %s", path, shape, axes, needed);
}

static cli_status load_sinks(const char *path, int64_t heads, npy_array *array) {
    cli_status status = input_load(path, ACCEPT_F32, array);
    if (status == CLI_OK && (array->header.rank != 1 || array->header.count != heads))
        return cli_fail(CLI_BAD_INPUT, "%s: needs one number for each of %" PRId64 " query heads", path, heads);
    return status;
}

/* Costs and heat maps are worked out from lengths that the library has not seen yet. */
static cli_status load_key_lengths(const char *path, const fovea_attention_desc *desc, npy_array *array) {
    cli_status status = input_load_indices(path, desc->batch, array);
    const int64_t *lengths = array->data;
    for (int64_t entry = 0; entry < desc->batch && status == CLI_OK; entry++)
        if (lengths[entry] < 0 || lengths[entry] > desc->len_kv)
            status = cli_fail(CLI_BAD_INPUT, "%s: key_lengths[%" PRId64 "] is %" PRId64 ", not in 0 ... %" PRId64, path,
                              entry, lengths[entry], desc->len_kv);
    return status;
}

static cli_status load_optional(const run_options *o, run_problem *p) {
    /* (query, key) pairs; their first two axes are also those of slopes. */
    const int64_t sizes[AXES] = {p->desc.batch, p->desc.heads_q, p->desc.len_q, p->desc.len_kv};
    static const char pairs[] = "batch, heads, queries, keys";
    cli_status status = load_broadcast(o->mask, ACCEPT_MASK, pairs, AXES, sizes, &p->mask, p->args.mask_strides);
    if (status == CLI_OK)
        status = load_broadcast(o->bias, ACCEPT_F32, pairs, AXES, sizes, &p->bias, p->args.bias_strides);
    if (status == CLI_OK)
        status = load_broadcast(o->alibi_slopes, ACCEPT_F32, "batch, heads", 2, sizes, &p->alibi_slopes,
                                p->args.alibi_strides);
    if (status == CLI_OK && o->sinks)
        status = load_sinks(o->sinks, p->desc.heads_q, &p->sinks);
    if (status == CLI_OK && o->key_lengths)
        status = load_key_lengths(o->key_lengths, &p->desc, &p->key_lengths);
    if (status == CLI_OK && o->query_offsets)
        status = input_load_indices(o->query_offsets, p->desc.batch, &p->query_offsets);
    p->args.mask = p->mask.data;
    p->args.bias = p->bias.data;
    p->args.alibi_slopes = p->alibi_slopes.data;
    p->args.sinks = p->sinks.data;
    p->args.key_lengths = p->key_lengths.data;
    p->args.query_offsets = p->query_offsets.data;
    return status;
}

static cli_status make_room(const char *what, const int64_t sizes[AXES], const axis_order *order, npy_array *array,
                            tensor_view *view) {
    if (!tensor_view_new(sizes, order, view, &array->header))
        return cli_fail(CLI_BAD_INPUT, "the %s would be larger than memory can be", what);
    array->data = malloc(array->header.data_size ? (size_t)array->header.data_size : 1);
    if (!array->data)
        return cli_fail(CLI_FAILED, "out of memory: the %s needs %" PRIu64 " bytes", what, array->header.data_size);
    return CLI_OK;
}

/* The output has the order of the queries; log-sum-exp and weights have heads before rows, and as many axes. Means over
 * heads have none. */
static cli_status make_results(const run_options *o, const axis_order *order, run_problem *p) {
    const fovea_attention_desc *d = &p->desc;
    const int64_t out[AXES] = {d->batch, d->heads_q, d->len_q, d->head_dim_v};
    const int64_t lse[AXES] = {d->batch, d->heads_q, d->len_q, 1};
    const bool mean = d->weights == FOVEA_WEIGHTS_MEAN_PROBABILITIES;
    const int64_t weights[AXES] = {d->batch, mean ? 1 : d->heads_q, d->len_q, d->len_kv};
    axis_order plain;
    tensor_view view;
    axis_order_of(order->rank, false, false, &plain);
    cli_status status = make_room("output", out, order, &p->out, &view);
    if (status != CLI_OK)
        return status;
    memcpy(p->args.out_strides, view.strides, sizeof view.strides);
    if (o->lse) {
        status = make_room("log-sum-exp", lse, &plain, &p->lse, &view);
        if (status != CLI_OK)
            return status;
        p->lse.header.rank--;
        memcpy(p->args.lse_strides, view.strides, sizeof p->args.lse_strides);
    }
    if (o->weights) {
        if (mean)
            axis_order_drop(&plain, AXIS_HEAD);
        status = make_room("attention weights", weights, &plain, &p->weights, &view);
        memcpy(p->args.weights_strides, view.strides, sizeof view.strides);
    }
    p->args.out = p->out.data;
    p->args.lse = p->lse.data;
    p->args.weights = p->weights.data;
    return status;
}

static void point_to_tensors(const run_views *views, run_problem *p) {
    p->args.struct_size = sizeof p->args;
    p->args.len_q = p->desc.len_q;
    p->args.len_kv = p->desc.len_kv;
    p->args.q = p->q.data;
    p->args.k = p->k.data;
    p->args.v = p->v.data;
    memcpy(p->args.q_strides, views->q.strides, sizeof views->q.strides);
    memcpy(p->args.k_strides, views->k.strides, sizeof views->k.strides);
    memcpy(p->args.v_strides, views->v.strides, sizeof views->v.strides);
}

cli_status problem_load(const run_options *options, run_problem *problem) {
    run_views views;
    memset(problem, 0, sizeof *problem);
    cli_status status = input_load(options->q, ACCEPT_F32, &problem->q);
    if (status == CLI_OK)
        status = input_load(options->k, ACCEPT_F32, &problem->k);
    if (status == CLI_OK)
        status = input_load(options->v, ACCEPT_F32, &problem->v);
    if (status == CLI_OK)
        status = view_tensors(options, problem, &views);
    if (status == CLI_OK)
        status = check_sizes(options, &views);
    if (status != CLI_OK)
        return status;
    describe(options, &views, &problem->desc);
    point_to_tensors(&views, problem);
    status = check_desc(&problem->desc);
    if (status == CLI_OK)
        status = load_optional(options, problem);
    return status == CLI_OK ? make_results(options, &views.order, problem) : status;
}

void problem_free(run_problem *problem) {
    npy_array *arrays[] = {&problem->q,        &problem->k,           &problem->v,
                           &problem->mask,     &problem->bias,        &problem->alibi_slopes,
                           &problem->sinks,    &problem->key_lengths, &problem->out,
                           &problem->lse,      &problem->weights,     &problem->query_offsets,
                           &problem->reference};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        npy_free(arrays[i]);
}

int64_t problem_keys(const run_problem *problem, int64_t entry) {
    const int64_t *lengths = problem->args.key_lengths;
    return lengths ? lengths[entry] : problem->desc.len_kv;
}

int64_t problem_diagonal(const run_problem *problem, int64_t entry) {
    switch (problem->desc.diagonal) {
    case FOVEA_DIAGONAL_OFFSETS:
        return problem->query_offsets.data ? ((const int64_t *)problem->query_offsets.data)[entry] : 0;
    case FOVEA_DIAGONAL_TOP_LEFT:
        return 0;
    default:
        return problem_keys(problem, entry) - problem->desc.len_q;
    }
}

static double clamp(double x, double low, double high) {
    return fmin(fmax(x, low), high);
}

/* The sum of min(y, keys) over the whole numbers y in [0, end). */
static double sum_below(double end, double keys) {
    double rising = clamp(end, 0, keys);
    return rising * (rising - 1) / 2 + fmax(end - keys, 0) * keys;
}

/* Pairs of a row and a key before `begin` + row. */
static double pairs_below(double begin, double rows, double keys) {
    /* Further out nothing changes, and sums of such numbers would drown the difference. */
    begin = clamp(begin, -rows, keys);
    return sum_below(begin + rows, keys) - sum_below(begin, keys);
}

/* In double: offsets and windows may have any value. */
static double visible_pairs(const run_problem *problem, int64_t entry) {
    const fovea_attention_desc *desc = &problem->desc;
    const double rows = (double)desc->len_q, keys = (double)problem_keys(problem, entry),
                 diagonal = (double)problem_diagonal(problem, entry);
    double right = desc->has_window_right ? (double)desc->window_right : HUGE_VAL;
    if (desc->causal)
        right = fmin(right, 0);
    const double hidden = desc->has_window_left ? pairs_below(diagonal - (double)desc->window_left, rows, keys) : 0;
    return pairs_below(diagonal + right + 1, rows, keys) - hidden;
}

double problem_flops(const run_problem *problem) {
    const fovea_attention_desc *desc = &problem->desc;
    double pairs = 0;
    if (desc->batch > 0 && !problem->key_lengths.data && !problem->query_offsets.data)
        pairs = (double)desc->batch * visible_pairs(problem, 0);
    else
        for (int64_t entry = 0; entry < desc->batch; entry++)
            pairs += visible_pairs(problem, entry);
    return 2 * pairs * (double)desc->heads_q * (double)(desc->head_dim + desc->head_dim_v);
}
