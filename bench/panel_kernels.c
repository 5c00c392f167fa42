/* The panel kernels of a backend, and those over pairs of bf16 numbers where it has them, each alone: a full key block
 * on data that stays in the caches. */
#include <stdio.h>
#include <stdlib.h>

#include "case.h"
#include "fill.h"
#include "pages.h"

/* Everything that a panel kernel may want, for one panel of `vectors` vectors. */
typedef struct panel_data {
    bench_pages pages;
    const fv_panel_kernels *kernels;
    /* Then q, k, v, terms and rows hold bf16 numbers, terms being probabilities. NULL for the panel family. */
    const fv_pair_kernels *pair;
    int32_t ld;
    int32_t vectors;
    int32_t keys;
    int64_t dim;
    float *q;
    float *s;
    float *terms;
    float *o;
    float *l;
    float *zeros;
    float *ones;
    float *peak;
    float *k;
    float *v;
    float *rows;
    const float *row_in[FV_MAX_LANES];
    void *row_out[FV_MAX_LANES];
    int32_t visible_begin[FV_MAX_LANES];
    int32_t visible_end[FV_MAX_LANES];
} panel_data;

typedef enum panel_work {
    /* Two FLOP for each key, lane and element of a row. */
    WORK_PRODUCT,
    /* Elements of [dim][ld], of [keys][ld]. */
    WORK_ROWS,
    WORK_SCORES
} panel_work;

typedef enum kernel_family { FAMILY_PANEL, FAMILY_PAIR } kernel_family;

typedef struct panel_kernel {
    const char *name;
    void (*run)(panel_data *data);
    panel_work work;
    kernel_family family;
} panel_kernel;

static void run_pack(panel_data *d) {
    d->kernels->pack(d->row_in, d->ld, d->dim, 0.125f, d->q);
}

static void run_unpack(panel_data *d) {
    d->kernels->unpack(d->row_out, FOVEA_F32, d->ld, d->dim, d->o, d->ones);
}

static fv_score_args score_args(panel_data *d) {
    return (fv_score_args){
        .k = d->k,
        .k_stride = d->dim,
        .keys = d->keys,
        .head_dim = d->dim,
        .q = d->q,
        .ld = d->ld,
        .vectors = d->vectors,
        .start = d->zeros,
        .s = d->s,
        .peak = d->peak,
    };
}

static void run_scores(panel_data *d) {
    const fv_score_args args = score_args(d);
    d->kernels->scores(&args);
}

static void run_scores_exp(panel_data *d) {
    const fv_score_args args = score_args(d);
    d->kernels->scores_exp(&args);
}

static void run_scores_exp_sleef(panel_data *d) {
    const fv_score_args args = score_args(d);
    d->kernels->scores_exp_sleef(&args);
}

static void run_mask_lanes(panel_data *d) {
    d->kernels->mask_lanes(d->s, d->ld, d->vectors, 0, d->keys, d->visible_begin, d->visible_end, d->peak);
}

static void run_peaks(panel_data *d) {
    d->kernels->peaks(d->s, d->ld, d->vectors, d->keys, d->peak);
}

/* A cap of 2 has a fixed point near 1.9, so that scores stay ordinary numbers however often it is applied in place. */
static void run_softcap(panel_data *d) {
    d->kernels->softcap(d->s, d->ld, d->vectors, d->keys, 2.0f);
}

/* Slopes of 0: see run_softcap. */
static void run_alibi(panel_data *d) {
    d->kernels->alibi(d->s, d->ld, d->vectors, d->keys, d->zeros, d->ones, d->peak);
}

static void run_add_terms(panel_data *d) {
    const float *rows[FV_MAX_LANES];
    for (int32_t lane = 0; lane < d->ld; lane++)
        rows[lane] = d->terms + (int64_t)lane * d->keys;
    const fv_term_args args = {
        .s = d->s,
        .ld = d->ld,
        .vectors = d->vectors,
        .keys = d->keys,
        .bias = rows,
        .factor = 1.0f,
        .peak = d->peak,
    };
    d->kernels->add_terms(&args);
}

/* A shift of 1 makes 1 the fixed point: see run_softcap. */
static void run_exponentials_sleef(panel_data *d) {
    d->kernels->exponentials(d->s, d->ld, d->vectors, d->keys, d->ones, FV_EXP_SLEEF, 0);
}

static void run_exponentials_fused(panel_data *d) {
    d->kernels->exponentials(d->s, d->ld, d->vectors, d->keys, d->ones, FV_EXP_FUSED, 0);
}

static void run_rescale(panel_data *d) {
    d->kernels->rescale(d->o, d->ld, d->vectors, d->dim, d->ones);
}

static void values_with(panel_data *d, void (*values)(const fv_value_args *), const float *p, int32_t keys,
                        int64_t v_stride) {
    const fv_segment segment = {0, keys, 0, d->vectors};
    const fv_value_args args = {
        .v = d->v,
        .v_stride = v_stride,
        .head_dim_v = d->dim,
        .p = p,
        .ld = d->ld,
        .vectors = d->vectors,
        .segments = &segment,
        .segment_count = 1,
        .o = d->o,
        .l = d->l,
    };
    values(&args);
}

static void run_values(panel_data *d) {
    values_with(d, d->kernels->values, d->s, d->keys, d->dim);
}

static void run_values_marked(panel_data *d) {
    values_with(d, d->kernels->values_marked, d->s, d->keys, d->dim);
}

static const uint16_t *narrow_row(const panel_data *d, int32_t lane) {
    return (const uint16_t *)(const void *)d->rows + lane * d->dim;
}

static void run_pair_pack(panel_data *d) {
    const uint16_t *rows[FV_MAX_LANES];
    for (int32_t lane = 0; lane < d->ld; lane++)
        rows[lane] = narrow_row(d, lane);
    d->pair->pack(rows, d->ld, d->dim, d->q);
}

static void run_pair_interleave(panel_data *d) {
    const int32_t step = d->pair->key_step;
    for (int32_t first = 0; first < d->ld; first += step) {
        const uint16_t *rows[FV_MAX_KEY_STEP];
        for (int32_t i = 0; i < step; i++)
            rows[i] = first + i < d->ld ? narrow_row(d, first + i) : NULL;
        d->pair->interleave(rows, d->dim, d->v);
    }
}

static void pair_scores_with(panel_data *d, void (*scores)(const fv_score_args *), float *s) {
    fv_score_args args = score_args(d);
    args.s = s;
    args.scale = 0.125f;
    args.sum = d->l;
    scores(&args);
}

static void run_pair_scores(panel_data *d) {
    pair_scores_with(d, d->pair->scores, d->s);
}

static void run_pair_scores_exp(panel_data *d) {
    pair_scores_with(d, d->pair->scores_exp, d->terms);
}

static void run_pair_scores_exp_coarse(panel_data *d) {
    pair_scores_with(d, d->pair->scores_exp_coarse, d->terms);
}

/* The scores are scratch afterwards; see run_exponentials_sleef. */
static void pair_probabilities_with(panel_data *d, fv_exp exp) {
    d->pair->probabilities(d->s, d->ld, d->vectors, d->keys, d->ones, exp, d->terms, d->l);
}

static void run_pair_probabilities_sleef(panel_data *d) {
    pair_probabilities_with(d, FV_EXP_SLEEF);
}

static void run_pair_probabilities_fused(panel_data *d) {
    pair_probabilities_with(d, FV_EXP_FUSED);
}

static void run_pair_probabilities_coarse(panel_data *d) {
    pair_probabilities_with(d, FV_EXP_COARSE);
}

static void run_pair_values(panel_data *d) {
    values_with(d, d->pair->values, d->terms, d->keys / 2, (int64_t)d->dim * d->pair->key_step / 2);
}

static const panel_kernel panel_kernels[] = {
    {"panel.pack", run_pack, WORK_ROWS, FAMILY_PANEL},
    {"panel.unpack", run_unpack, WORK_ROWS, FAMILY_PANEL},
    {"panel.scores", run_scores, WORK_PRODUCT, FAMILY_PANEL},
    {"panel.scores_exp", run_scores_exp, WORK_PRODUCT, FAMILY_PANEL},
    {"panel.scores_exp_sleef", run_scores_exp_sleef, WORK_PRODUCT, FAMILY_PANEL},
    {"panel.mask_lanes", run_mask_lanes, WORK_SCORES, FAMILY_PANEL},
    {"panel.peaks", run_peaks, WORK_SCORES, FAMILY_PANEL},
    {"panel.softcap", run_softcap, WORK_SCORES, FAMILY_PANEL},
    {"panel.alibi", run_alibi, WORK_SCORES, FAMILY_PANEL},
    {"panel.add_terms", run_add_terms, WORK_SCORES, FAMILY_PANEL},
    {"panel.exponentials/sleef", run_exponentials_sleef, WORK_SCORES, FAMILY_PANEL},
    {"panel.exponentials/fused", run_exponentials_fused, WORK_SCORES, FAMILY_PANEL},
    {"panel.rescale", run_rescale, WORK_ROWS, FAMILY_PANEL},
    {"panel.values", run_values, WORK_PRODUCT, FAMILY_PANEL},
    {"panel.values_marked", run_values_marked, WORK_PRODUCT, FAMILY_PANEL},
    {"pair.pack", run_pair_pack, WORK_ROWS, FAMILY_PAIR},
    {"pair.interleave", run_pair_interleave, WORK_ROWS, FAMILY_PAIR},
    {"pair.scores", run_pair_scores, WORK_PRODUCT, FAMILY_PAIR},
    {"pair.scores_exp", run_pair_scores_exp, WORK_PRODUCT, FAMILY_PAIR},
    {"pair.scores_exp_coarse", run_pair_scores_exp_coarse, WORK_PRODUCT, FAMILY_PAIR},
    {"pair.probabilities/sleef", run_pair_probabilities_sleef, WORK_SCORES, FAMILY_PAIR},
    {"pair.probabilities/fused", run_pair_probabilities_fused, WORK_SCORES, FAMILY_PAIR},
    {"pair.probabilities/coarse", run_pair_probabilities_coarse, WORK_SCORES, FAMILY_PAIR},
    {"pair.values", run_pair_values, WORK_PRODUCT, FAMILY_PAIR},
};

/* What a case's `variant` means. */
typedef struct panel_shape {
    int32_t dim;
    /* Vectors of the panel: the most, or one. */
    int32_t full;
} panel_shape;

static const panel_shape panel_shapes[] = {{64, 1}, {128, 1}, {64, 0}, {128, 0}};

enum {
    KERNELS = sizeof panel_kernels / sizeof panel_kernels[0],
    SHAPES = sizeof panel_shapes / sizeof panel_shapes[0]
};

static float *cut_floats(bench_pages *pages, size_t count) {
    return bench_pages_cut(pages, count * sizeof(float));
}

static float *cut_filled(bench_pages *pages, size_t count, uint32_t seed) {
    float *cut = cut_floats(pages, count);
    bench_fill(cut, FOVEA_F32, count, seed);
    return cut;
}

/* Room for `count` floats, filled with them or with as many bf16 numbers as the family's kernels find there. */
static float *cut_elements(panel_data *d, size_t count, uint32_t seed) {
    if (d->pair == NULL)
        return cut_filled(&d->pages, count, seed);
    float *cut = cut_floats(&d->pages, count);
    bench_fill(cut, FOVEA_BF16, 2 * count, seed);
    return cut;
}

static bench_outcome panel_open(bench_case *item, char *reason, size_t reason_size) {
    const panel_kernel *kernel = item->definition;
    const panel_shape *shape = &panel_shapes[item->variant];
    const fv_panel_kernels *kernels = item->backend->panel;
    const int32_t vectors = shape->full ? kernels->vectors : 1;
    const int32_t ld = vectors * kernels->lanes;
    const size_t rows = (size_t)shape->dim * (size_t)ld;
    const fv_pair_kernels *pair = kernel->family == FAMILY_PAIR ? item->backend->pair : NULL;
    const int32_t key_block = pair ? pair->key_block : kernels->key_block;
    const size_t scores = (size_t)key_block * (size_t)ld;
    const size_t keys = (size_t)key_block * (size_t)shape->dim;
    const size_t sizes[] = {rows,       scores,     scores, rows, (size_t)ld, (size_t)ld,
                            (size_t)ld, (size_t)ld, keys,   keys, rows};

    size_t total = 0;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        total += bench_page_round(sizes[i] * sizeof(float));
    panel_data *d = calloc(1, sizeof *d);
    if (!d || !bench_pages_map(&d->pages, total, item->options->huge_pages)) {
        free(d);
        snprintf(reason, reason_size, "out of memory");
        return BENCH_FAILED;
    }
    d->kernels = kernels;
    d->pair = pair;
    d->ld = ld;
    d->vectors = vectors;
    d->keys = key_block;
    d->dim = shape->dim;
    d->q = cut_elements(d, rows, 1);
    d->s = cut_filled(&d->pages, scores, 2);
    d->terms = pair ? cut_elements(d, scores, 7) : cut_floats(&d->pages, scores);
    d->o = cut_filled(&d->pages, rows, 3);
    d->l = cut_floats(&d->pages, (size_t)ld);
    d->zeros = cut_floats(&d->pages, (size_t)ld);
    d->ones = cut_floats(&d->pages, (size_t)ld);
    d->peak = cut_floats(&d->pages, (size_t)ld);
    d->k = cut_elements(d, keys, 4);
    d->v = cut_elements(d, keys, 5);
    d->rows = cut_elements(d, rows, 6);
    for (int32_t lane = 0; lane < ld; lane++) {
        d->ones[lane] = 1.0f;
        d->row_out[lane] = d->rows + (size_t)lane * (size_t)shape->dim;
        d->row_in[lane] = d->row_out[lane];
        d->visible_end[lane] = lane + 1;
    }

    const double product = 2.0 * d->keys * ld * shape->dim;
    item->flops = kernel->work == WORK_PRODUCT ? product : 0.0;
    item->elements = kernel->work == WORK_ROWS ? (double)rows : (double)scores;
    item->data = d;
    return BENCH_OPENED;
}

static void panel_run(bench_case *item, int64_t times) {
    const panel_kernel *kernel = item->definition;
    const fv_pair_kernels *pair = ((const panel_data *)item->data)->pair;
    if (pair && pair->begin)
        pair->begin();
    for (int64_t i = 0; i < times; i++)
        kernel->run(item->data);
    if (pair && pair->end)
        pair->end();
}

static void panel_close(bench_case *item) {
    panel_data *d = item->data;
    bench_pages_unmap(&d->pages);
    free(d);
    item->data = NULL;
}

static const bench_case_type panel_type = {panel_open, panel_run, NULL, panel_close};

void bench_add_panel_kernels(bench_list *list, const fv_backend *backend, const bench_options *options) {
    for (int32_t i = 0; i < KERNELS; i++) {
        const panel_kernel *kernel = &panel_kernels[i];
        if (kernel->family == FAMILY_PAIR && backend->pair == NULL)
            continue;
        /* Element-wise work does not care for the row length. */
        const int32_t shapes = kernel->work == WORK_SCORES ? 1 : SHAPES;
        for (int32_t j = 0; j < shapes; j++) {
            const int32_t vectors = panel_shapes[j].full ? backend->panel->vectors : 1;
            if (!panel_shapes[j].full && backend->panel->vectors == 1)
                continue;
            const bench_case item = {
                .backend = backend,
                .options = options,
                .type = &panel_type,
                .definition = kernel,
                .variant = j,
                .limit = kernel->work == WORK_PRODUCT ? BENCH_LIMIT_FMA : BENCH_LIMIT_SLOTS,
                .threads = 1,
            };
            char row[BENCH_NAME_SIZE];
            if (kernel->work == WORK_SCORES)
                snprintf(row, sizeof row, "%s", kernel->name);
            else
                snprintf(row, sizeof row, "%s/D=%d/vectors=%d", kernel->name, panel_shapes[j].dim, vectors);
            bench_list_add(list, &item, "kernel", NULL, row);
        }
    }
}
