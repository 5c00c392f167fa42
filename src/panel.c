#include "src/panel.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "src/integer.h"
#include "src/pairs.h"
#include "src/panel_sums.h"
#include "src/scores.h"
#include "src/sinks.h"
#include "src/stage.h"
#include "src/sums.h"

/* How far, in log2 units, a score may exceed the reference: probabilities up to 2^16 lose nothing in f32. */
static const float headroom = 16.0f;
/* A sum below this, where keys were visible, tells that the reference was far too high: an intermediate score of
 * enormous size had rounded it. */
static const float least_plausible_sum = 0x1p-40f;

static const fv_panel_kernels *kernels_of(const fv_head *head) {
    return head->plan->backend->panel;
}

static void fill(float *x, int32_t count, float value) {
    for (int32_t i = 0; i < count; i++)
        x[i] = value;
}

static void reset(fv_panel *panel, int32_t safe) {
    fill(panel->m, panel->ld, FV_NO_SCORE);
    panel->next_key = panel->keys.begin;
    panel->started = 0;
    panel->summed = 0;
    panel->has_totals = 0;
    panel->safe = safe;
    panel->suspect = 0;
}

/* Columns of rows of another type than f32 that pass through the scratch of the scores at a time. */
static int64_t columns_at_once(int64_t count, int64_t begin) {
    return fv_min64(count - begin, FV_MAX_BLOCK);
}

static float *scratch_row(const fv_scratch *scratch, int32_t lane) {
    return scratch->s + (int64_t)lane * FV_MAX_BLOCK;
}

static void pack_queries(const fv_head *head, const fv_panel *panel, const fv_scratch *scratch) {
    if (fv_uses_pairs(head, panel)) {
        fv_pairs_pack(head, panel, scratch);
        return;
    }
    const fovea_plan *plan = head->plan;
    const fovea_type type = plan->desc.type_q;
    const int64_t head_dim = plan->desc.head_dim;
    const float scale = panel->safe ? plan->safe_query_scale : plan->query_scale;
    int64_t offsets[FV_MAX_LANES];
    const float *rows[FV_MAX_LANES] = {0};
    fv_lane_offsets(head, head->args->q_strides, panel->first_lane, panel->lanes, offsets);
    if (type == FOVEA_F32) {
        for (int32_t lane = 0; lane < panel->lanes; lane++)
            rows[lane] = (const float *)head->args->q + offsets[lane];
        kernels_of(head)->pack(rows, panel->ld, head_dim, scale, panel->q);
        return;
    }
    for (int64_t d = 0; d < head_dim; d += FV_MAX_BLOCK) {
        int64_t columns = columns_at_once(head_dim, d);
        for (int32_t lane = 0; lane < panel->lanes; lane++) {
            fv_widen(plan->backend->convert, type, fv_element(head->args->q, type, offsets[lane] + d), 1.0f, columns,
                     scratch_row(scratch, lane));
            rows[lane] = scratch_row(scratch, lane);
        }
        kernels_of(head)->pack(rows, panel->ld, columns, scale, panel->q + d * panel->ld);
    }
}

void fv_panel_begin(const fv_head *head, fv_panel *panel, const fv_scratch *scratch) {
    reset(panel, 0);
    /* None that any key is among. */
    panel->classes[0].first_run = panel->classes[1].first_run = -FV_RUNS;
    pack_queries(head, panel, scratch);
}

int64_t fv_panel_block_end(const fv_head *head, const fv_panel *panel) {
    int64_t block = head->key_block;
    int64_t end = (panel->next_key / block + 1) * block;
    return panel->keys.end - end <= block / 2 ? panel->keys.end : end;
}

/* A block of keys being taken. */
typedef struct block {
    int64_t key_begin;
    int32_t keys;
    fv_visible visible;
} block;

static void exponentiate(const fv_head *head, const fv_panel *panel, const fv_scratch *scratch,
                         const fv_segment *segment, const float *shift, fv_exp exp) {
    if (fv_uses_pairs(head, panel)) {
        fv_pairs_exponentiate(head, panel, scratch, segment, shift);
        return;
    }
    int32_t first_lane = segment->vector_begin * kernels_of(head)->lanes;
    kernels_of(head)->exponentials(fv_segment_scores(head, panel, scratch->s, segment), panel->ld,
                                   segment->vector_end - segment->vector_begin, segment->key_end - segment->key_begin,
                                   shift ? shift + first_lane : NULL, exp, panel->safe);
}

/* Sums of pairs are taken with the probabilities, those of f32 with the values. */
static void begin_sums(const fv_head *head, const fv_panel *panel, const fv_scratch *scratch) {
    if (fv_uses_pairs(head, panel))
        fv_pairs_begin_sums(panel, scratch);
}

static void weigh_values(const fv_head *head, fv_panel *panel, const fv_scratch *scratch, const block *b) {
    if (fv_uses_pairs(head, panel)) {
        fv_pairs_weigh(head, panel, scratch, b->key_begin, &b->visible);
        return;
    }
    fv_value_args args = {
        .v = fv_row(&head->v, b->key_begin),
        .v_stride = head->v.stride,
        .head_dim_v = head->plan->desc.head_dim_v,
        .p = scratch->s,
        .ld = panel->ld,
        .vectors = panel->vectors,
        .segments = b->visible.segments,
        .segment_count = b->visible.segment_count,
        .first = panel->summed == 0,
        .o = panel->o,
        .l = panel->l,
        .lines = head->lines,
    };
    if (panel->safe)
        kernels_of(head)->values_marked(&args);
    else
        kernels_of(head)->values(&args);
}

static void take_values(const fv_head *head, fv_panel *panel, const fv_scratch *scratch, const block *b) {
    weigh_values(head, panel, scratch, b);
    panel->started = 1;
    panel->summed++;
    fv_sums_limit(head, panel);
}

/* Moves the references to `reference`: what was accumulated is multiplied by exp2(m - reference). */
static void move_reference(const fv_head *head, fv_panel *panel, const float *reference) {
    const fv_panel_kernels *kernels = kernels_of(head);
    float factor[FV_MAX_LANES] __attribute__((aligned(FV_ALIGNMENT)));
    int32_t moved = 0;
    for (int32_t lane = 0; lane < panel->ld; lane++) {
        factor[lane] = panel->m[lane] - reference[lane];
        moved |= factor[lane] != 0.0f;
    }
    if (!moved)
        return;
    memcpy(panel->m, reference, (size_t)panel->ld * sizeof(float));
    if (!panel->started)
        return;
    kernels->exponentials(factor, panel->ld, panel->vectors, 1, NULL, head->plan->exp, 0);
    fv_sums_rescale(head, panel, factor);
}

static float safety_shift(const fv_panel *panel) {
    return fv_safety_shift(panel->keys.end - panel->keys.begin);
}

static void take_two_pass(const fv_head *head, fv_panel *panel, const fv_scratch *scratch, const block *b) {
    float reference[FV_MAX_LANES] __attribute__((aligned(FV_ALIGNMENT)));
    memcpy(reference, panel->m, sizeof reference[0] * (size_t)panel->ld);
    fv_panel_scores(head, panel, scratch, b->key_begin, &b->visible, reference);
    move_reference(head, panel, reference);
    float shift = panel->safe ? safety_shift(panel) : 0.0f;
    for (int32_t lane = 0; lane < panel->ld; lane++)
        reference[lane] += shift;
    begin_sums(head, panel, scratch);
    for (int32_t i = 0; i < b->visible.segment_count; i++)
        exponentiate(head, panel, scratch, &b->visible.segments[i], reference, head->plan->exp);
    take_values(head, panel, scratch, b);
}

/* Whether a tile of scores can turn them into probabilities itself. */
static int32_t tiles_exponentiate(const fv_head *head, const fv_panel *panel) {
    return head->plan->exp == FV_EXP_FUSED || !fv_uses_pairs(head, panel);
}

/* Scores relative to m of a partly visible segment, probabilities of the fully visible one if tiles can. Raises peak.
 */
static void relative_segment(const fv_head *head, const fv_panel *panel, const fv_scratch *scratch, const block *b,
                             const fv_segment *segment, const float *negated, float *peak) {
    const int32_t full = fv_is_full(&b->visible, segment);
    const int32_t exp = full && tiles_exponentiate(head, panel);
    fv_score_segment(head, panel, scratch, b->key_begin, segment, negated, full ? peak : NULL, exp);
    if (!full)
        fv_mask_segment(head, panel, scratch, &b->visible, segment, peak);
}

static void negate_reference(const fv_panel *panel, float *negated) {
    for (int32_t lane = 0; lane < panel->ld; lane++)
        negated[lane] = -panel->m[lane];
}

/* The whole block, from key `from` of the full part on. */
static void relative_scores(const fv_head *head, const fv_panel *panel, const fv_scratch *scratch, const block *b,
                            int32_t from, float *peak) {
    float negated[FV_MAX_LANES] __attribute__((aligned(FV_ALIGNMENT)));
    negate_reference(panel, negated);
    fill(peak, panel->ld, FV_NO_SCORE);
    for (int32_t i = 0; i < b->visible.segment_count; i++) {
        fv_segment segment = b->visible.segments[i];
        if (fv_is_full(&b->visible, &segment))
            segment.key_begin += from;
        relative_segment(head, panel, scratch, b, &segment, negated, peak);
    }
}

/* Exponentials of what relative_scores left as scores. */
static void relative_exponentials(const fv_head *head, const fv_panel *panel, const fv_scratch *scratch, const block *b,
                                  int32_t from) {
    for (int32_t i = 0; i < b->visible.segment_count; i++) {
        fv_segment segment = b->visible.segments[i];
        const int32_t full = fv_is_full(&b->visible, &segment);
        if (full)
            segment.key_begin += from;
        if (!full || !tiles_exponentiate(head, panel))
            exponentiate(head, panel, scratch, &segment, NULL, head->plan->exp);
    }
}

static int32_t exceeds_headroom(const fv_panel *panel, const float *peak) {
    int32_t exceeds = 0;
    for (int32_t lane = 0; lane < panel->ld; lane++)
        exceeds |= peak[lane] > headroom;
    return exceeds;
}

/* Raises the references of the lanes that exceeded their headroom. Returns non-zero if there were any. */
static int32_t raise_references(const fv_head *head, fv_panel *panel, const float *peak) {
    float reference[FV_MAX_LANES] __attribute__((aligned(FV_ALIGNMENT)));
    if (!exceeds_headroom(panel, peak))
        return 0;
    for (int32_t lane = 0; lane < panel->ld; lane++)
        reference[lane] = peak[lane] > headroom ? panel->m[lane] + peak[lane] : panel->m[lane];
    move_reference(head, panel, reference);
    return 1;
}

/* Sets the reference from the first tile of the full part, and turns that tile into probabilities. Returns its keys. */
static int32_t first_reference(const fv_head *head, fv_panel *panel, const fv_scratch *scratch, const block *b) {
    int32_t begin = b->visible.full_begin;
    int32_t full = b->visible.full_end - begin;
    int32_t keys = full < head->plan->tile_keys ? full : head->plan->tile_keys;
    fv_segment tile = {begin, begin + keys, 0, panel->vectors};
    fv_score_segment(head, panel, scratch, b->key_begin, &tile, NULL, panel->m, 0);
    exponentiate(head, panel, scratch, &tile, panel->m, head->plan->exp);
    return keys;
}

static void take_relative(const fv_head *head, fv_panel *panel, const fv_scratch *scratch, const block *b) {
    float peak[FV_MAX_LANES] __attribute__((aligned(FV_ALIGNMENT)));
    int32_t from = 0;
    begin_sums(head, panel, scratch);
    if (!panel->started)
        from = first_reference(head, panel, scratch, b);
    relative_scores(head, panel, scratch, b, from, peak);
    if (raise_references(head, panel, peak)) {
        from = 0;
        begin_sums(head, panel, scratch);
        relative_scores(head, panel, scratch, b, from, peak);
        /* Only rounding of enormous scores can leave a peak above the reference that was made from it. */
        panel->suspect |= exceeds_headroom(panel, peak);
    }
    relative_exponentials(head, panel, scratch, b, from);
    take_values(head, panel, scratch, b);
}

/* The relative way needs a reference near the scores of every lane, or a tile of keys that gives it one. */
static int32_t has_reference(const fv_panel *panel, const fv_visible *visible) {
    if (!panel->started)
        return visible->full_end > visible->full_begin;
    int32_t lacks = 0;
    for (int32_t lane = 0; lane < panel->lanes; lane++)
        lacks |= panel->m[lane] == FV_NO_SCORE;
    return !lacks;
}

/* Window number `window` of FV_RUNS runs. */
static const fv_classes *window_of(const fv_head *head, fv_panel *panel, int64_t window) {
    if (head->classes)
        return head->classes + panel->first_lane / head->plan->geometry.panel_lanes * head->class_windows + window;
    fv_classes *own = &panel->classes[window % 2];
    if (own->first_run != window * FV_RUNS)
        fv_classify(head, panel->first_lane, panel->lanes, panel->keys, window * FV_RUNS, 1, own);
    return own;
}

/* The classes of the keys from next_key up to `end`. */
static fv_class_pair classes_up_to(const fv_head *head, fv_panel *panel, int64_t end) {
    enum { WINDOW_KEYS = FV_RUNS * FV_RUN_KEYS };
    return (fv_class_pair){window_of(head, panel, panel->next_key / WINDOW_KEYS),
                           window_of(head, panel, (end - 1) / WINDOW_KEYS)};
}

int32_t fv_panel_needs_block(const fv_head *head, fv_panel *panel) {
    if (!head->plan->has_score_terms)
        return 1;
    const int64_t end = fv_panel_block_end(head, panel);
    const fv_class_pair pair = classes_up_to(head, panel, end);
    for (int64_t run = panel->next_key / FV_RUN_KEYS; run * FV_RUN_KEYS < end; run++) {
        const fv_classes *classes = fv_classes_of_run(&pair, run);
        for (int32_t v = 0; v < panel->vectors; v++)
            if (fv_class_bit(classes->some, v, run - classes->first_run))
                return 1;
    }
    return 0;
}

void fv_panel_skip_block(const fv_head *head, fv_panel *panel) {
    panel->next_key = fv_panel_block_end(head, panel);
}

void fv_panel_take_block(const fv_head *head, fv_panel *panel, const fv_scratch *scratch) {
    /* Not an initialiser, which would clear a kilobyte for every block. */
    block b;
    b.key_begin = panel->next_key;
    const int64_t end = fv_panel_block_end(head, panel);
    b.keys = (int32_t)(end - b.key_begin);
    fv_see_block(head, panel->first_lane, panel->lanes, panel->vectors, b.key_begin, b.keys, &b.visible);
    if (head->plan->has_score_terms) {
        const fv_class_pair classes = classes_up_to(head, panel, end);
        fv_see_classes(&classes, b.key_begin, &b.visible);
    }
    panel->next_key = end;
    if (b.visible.segment_count == 0)
        return;
    if (panel->safe || head->plan->two_pass || !has_reference(panel, &b.visible))
        take_two_pass(head, panel, scratch, &b);
    else
        take_relative(head, panel, scratch, &b);
}

static int32_t lane_sees_nothing(const fv_head *head, const fv_panel *panel, int32_t lane) {
    const fv_geometry *geometry = &head->plan->geometry;
    int64_t row = (panel->first_lane + lane) / geometry->group;
    fv_key_range keys = fv_visible_keys(head->sequence, geometry->band, row, row + 1);
    return keys.end <= panel->keys.begin || keys.begin >= panel->keys.end || keys.begin == keys.end;
}

static int32_t has_infinite_query(const fv_head *head, const fv_panel *panel) {
    const int64_t count = head->plan->desc.head_dim * panel->ld;
    int32_t found = 0;
    for (int64_t i = 0; i < count; i++)
        found |= fabsf(panel->q[i]) > FLT_MAX;
    return found;
}

/* Every score of a query that overflowed when it was scaled is infinite or NaN. Where all are -inf they look like
 * forbidden ones, and softcap makes them finite. */
static int32_t hides_overflow(const fv_head *head, const fv_panel *panel) {
    int32_t may_hide = head->plan->cap > 0;
    for (int32_t lane = 0; lane < panel->lanes; lane++)
        may_hide |= panel->l[lane] == 0.0f;
    return may_hide && !fv_uses_pairs(head, panel) && has_infinite_query(head, panel);
}

static int32_t is_ordinary(float l) {
    return (l >= least_plausible_sum) & (l <= -FV_NO_SCORE);
}

/* Whether every lane's sum is one that the relative and two-pass ways produce from ordinary numbers. */
static int32_t sums_are_plausible(const fv_head *head, const fv_panel *panel) {
    int32_t ordinary = 1;
    for (int32_t lane = 0; lane < panel->lanes; lane++)
        ordinary &= is_ordinary(panel->l[lane]);
    if (ordinary)
        return 1;
    for (int32_t lane = 0; lane < panel->lanes; lane++) {
        const float l = panel->l[lane];
        const int32_t may_be_empty = l == 0.0f && (head->plan->has_score_terms || lane_sees_nothing(head, panel, lane));
        if (!is_ordinary(l) && !may_be_empty)
            return 0;
    }
    return 1;
}

void fv_panel_sum_factors(const fv_panel *panel, float *factor) {
    for (int32_t lane = 0; lane < panel->ld; lane++)
        factor[lane] = fv_sum_factor(panel->l[lane]);
}

/* Pairs round values and probabilities, which may carry a result beyond the numbers of f16 although the exact one is
 * within them. */
static int32_t may_leave_f16(const fv_head *head, const fv_panel *panel) {
    return fv_uses_pairs(head, panel) && head->plan->desc.type_out == FOVEA_F16;
}

/* Rows of f32, by their bits, which compilers compare several at a time; NaN does not fit either. */
static int32_t fit_f16(void *const *rows, int32_t lanes, int64_t count) {
    static const uint32_t magnitude = 0x7fffffff, least_infinite = 0x477ff000; /* 65520 */
    uint32_t beyond = 0;
    for (int32_t lane = 0; lane < lanes; lane++) {
        const float *row = rows[lane];
        for (int64_t i = 0; i < count; i++) {
            uint32_t bits;
            memcpy(&bits, &row[i], sizeof bits);
            beyond |= (bits & magnitude) >= least_infinite;
        }
    }
    return !beyond;
}

/* Rows of f16 from pairs: in f32 first, to see whether they fit. */
static int32_t write_fitting_f16(const fv_head *head, const fv_panel *panel, const fv_scratch *scratch,
                                 const fv_output *output, const float *factor) {
    const int64_t head_dim_v = head->plan->desc.head_dim_v;
    void *rows[FV_MAX_LANES] = {0};
    int32_t finite = 1;
    for (int32_t lane = 0; lane < panel->lanes; lane++)
        rows[lane] = scratch_row(scratch, lane);
    for (int64_t d = 0; d < head_dim_v; d += FV_MAX_BLOCK) {
        int64_t columns = columns_at_once(head_dim_v, d);
        finite &= kernels_of(head)->unpack(rows, FOVEA_F32, panel->ld, columns, panel->o + d * panel->ld, factor) &&
                  fit_f16(rows, panel->lanes, columns);
        for (int32_t lane = 0; lane < panel->lanes; lane++)
            fv_narrow(head->plan->backend->convert, output->type, rows[lane], columns,
                      fv_element_out(output->rows[lane], output->type, d));
    }
    return finite;
}

/* Completes the sums and divides by them. Returns non-zero if the results were finite before they were rounded to the
 * output's type. */
static int32_t write_rows(const fv_head *head, fv_panel *panel, const fv_scratch *scratch, const fv_output *output) {
    float factor[FV_MAX_LANES] __attribute__((aligned(FV_ALIGNMENT))) = {0};
    fv_finish_sums(head, panel->first_lane, panel->lanes, panel->m, panel->l, factor);
    if (may_leave_f16(head, panel) && output->type == FOVEA_F16)
        return write_fitting_f16(head, panel, scratch, output, factor);
    const int64_t head_dim_v = head->plan->desc.head_dim_v;
    /* Parts of split keys are f32, whatever the result will be. */
    return kernels_of(head)->unpack(output->rows, output->type, panel->ld, head_dim_v, panel->o, factor) &&
           (!may_leave_f16(head, panel) || fit_f16(output->rows, panel->lanes, head_dim_v));
}

static void compute_safely(const fv_head *head, fv_panel *panel, const fv_scratch *scratch) {
    int32_t repacks = fv_uses_pairs(head, panel) || head->plan->safe_score_factor != 1.0f;
    reset(panel, 1);
    if (repacks)
        pack_queries(head, panel, scratch);
    while (panel->next_key < panel->keys.end) {
        fv_key_range keys = {panel->next_key, fv_panel_block_end(head, panel)};
        fv_head staged = fv_stage(head, keys, 1, scratch);
        fv_panel_take_block(&staged, panel, scratch);
    }
    fv_sums_complete(head, panel);
    float shift = safety_shift(panel);
    for (int32_t lane = 0; lane < panel->ld; lane++)
        panel->m[lane] += shift;
}

void fv_panel_finish(const fv_head *head, fv_panel *panel, const fv_scratch *scratch, const fv_output *output) {
    if (!panel->started) {
        fill(panel->l, panel->ld, 0.0f);
        memset(panel->o, 0, (size_t)panel->ld * (size_t)head->plan->desc.head_dim_v * sizeof(float));
    }
    fv_sums_complete(head, panel);
    if (!panel->suspect && sums_are_plausible(head, panel) && !hides_overflow(head, panel) &&
        write_rows(head, panel, scratch, output))
        return;
    compute_safely(head, panel, scratch);
    write_rows(head, panel, scratch, output);
}
