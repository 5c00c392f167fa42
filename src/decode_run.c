#include "src/decode_run.h"

#include <math.h>
#include <string.h>

#include "src/alibi.h"
#include "src/integer.h"
#include "src/mask.h"
#include "src/places.h"
#include "src/terms.h"
#include "src/turns.h"

static const fv_row_reads *reads_of(const fv_decode_rows *r) {
    return r->head->plan->backend->read[r->head->k.type];
}

int32_t fv_run_keys(const fv_decode_rows *r) {
    return fv_is_paged(&r->head->k) && !reads_of(r)->in_pieces ? FV_TURN_KEYS : reads_of(r)->key_block;
}

/* A run of rows in the order of its keys; it may point into `places`. */
static fv_stored stored_rows(const fv_rows *of, int64_t key_begin, int32_t keys, int64_t length, fv_places *places) {
    if (fv_is_paged(of))
        return fv_stored_places(of, key_begin, keys, length, places);
    return (fv_stored){
        .rows = fv_row(of, key_begin),
        .stride = of->stride,
        .count = keys,
        .length = length,
        .scales = fv_row_scales(of, key_begin),
        .scale_stride = of->scale_stride,
    };
}

static void forbid_outside(float *s, int32_t keys, fv_key_range seen) {
    for (int64_t key = 0; key < seen.begin; key++)
        s[key] = -INFINITY;
    for (int64_t key = seen.end; key < keys; key++)
        s[key] = -INFINITY;
}

/* Keys in pages, read page by page in turn. */
static void multiply_keys_in_turn(const fv_decode_rows *r, int64_t key_begin, int32_t keys, int64_t at) {
    fv_turns turns;
    float by_row[FV_MAX_ROWS][FV_TURN_KEYS] __attribute__((aligned(FV_ALIGNMENT)));
    fv_take_turns(&r->head->k, key_begin, key_begin + keys, r->keys.end, &turns);
    const fv_stored stored = fv_stored_turns(&turns, r->head->plan->desc.head_dim);
    reads_of(r)->dots(r->scratch->q, r->q_stride, r->count, &stored, by_row[0], FV_TURN_KEYS);
    for (int32_t row = 0; row < r->count; row++)
        fv_turns_to_keys(&turns, by_row[row], fv_row_scores(r, row) + at);
}

/* Dot products of a few keys, for every row, from score number `at` on. */
static void multiply_keys(const fv_decode_rows *r, int64_t key_begin, int32_t keys, int64_t at) {
    const fv_rows *k = &r->head->k;
    if (fv_is_paged(k) && !reads_of(r)->in_pieces) {
        multiply_keys_in_turn(r, key_begin, keys, at);
        return;
    }
    fv_places places;
    const fv_stored stored = stored_rows(k, key_begin, keys, r->head->plan->desc.head_dim, &places);
    reads_of(r)->dots(r->scratch->q, r->q_stride, r->count, &stored, r->scratch->s + at, FV_RUN_STRIDE);
}

typedef void weigh(const float *p, int64_t p_stride, int32_t rows, const fv_stored *v, float *o, int64_t o_stride);

static void weigh_values_in_turn(const fv_decode_rows *r, weigh *sum, int64_t key_begin, int32_t keys, int64_t at) {
    fv_turns turns;
    float by_row[FV_MAX_ROWS][FV_TURN_KEYS] __attribute__((aligned(FV_ALIGNMENT)));
    fv_take_turns(&r->head->v, key_begin, key_begin + keys, r->keys.end, &turns);
    for (int32_t row = 0; row < r->count; row++)
        fv_keys_to_turns(&turns, fv_row_scores(r, row) + at, by_row[row]);
    const fv_stored stored = fv_stored_turns(&turns, r->head->plan->desc.head_dim_v);
    sum(by_row[0], FV_TURN_KEYS, r->count, &stored, r->scratch->o, r->o_stride);
}

/* Adds the values of a few keys, by their probabilities from number `at` on. */
static void weigh_values(const fv_decode_rows *r, int64_t key_begin, int32_t keys, int64_t at) {
    const fv_row_reads *read = reads_of(r);
    weigh *const sum = r->safe ? read->weighted_sum_marked : read->weighted_sum;
    const fv_rows *v = &r->head->v;
    if (fv_is_paged(v) && !read->in_pieces) {
        weigh_values_in_turn(r, sum, key_begin, keys, at);
        return;
    }
    fv_places places;
    const fv_stored stored = stored_rows(v, key_begin, keys, r->head->plan->desc.head_dim_v, &places);
    sum(r->scratch->s + at, FV_RUN_STRIDE, r->count, &stored, r->scratch->o, r->o_stride);
}

static float *terms_of(const fv_decode_rows *r, int32_t row) {
    return r->scratch->term_rows + (int64_t)row * FV_RUN_STRIDE;
}

static int32_t any_row_allows(const fv_decode_rows *r, fv_key_range part) {
    for (int32_t row = 0; row < r->count; row++)
        if (fv_terms_allow_any(terms_of(r, row) + part.begin, (int32_t)(part.end - part.begin)))
            return 1;
    return 0;
}

/* Appends a part, to the last one if it goes on where that ends. */
static void append_part(fv_run *run, fv_key_range part) {
    if (run->part_count > 0 && run->parts[run->part_count - 1].end == part.begin)
        run->parts[run->part_count - 1].end = part.end;
    else
        run->parts[run->part_count++] = part;
}

void fv_run_begin(const fv_decode_rows *r, int64_t key_begin, int32_t keys, fv_run *run) {
    run->key_begin = key_begin;
    run->keys = keys;
    run->part_count = 0;
    if (!r->head->plan->has_score_terms) {
        append_part(run, (fv_key_range){0, keys});
        return;
    }
    for (int32_t row = 0; row < r->count; row++)
        fv_terms_of_lane(r->head, row, key_begin, keys, terms_of(r, row));
    for (int64_t key = 0; key < keys; key += FV_RUN_PART) {
        const fv_key_range part = {key, fv_min64(key + FV_RUN_PART, keys)};
        if (any_row_allows(r, part))
            append_part(run, part);
    }
}

/* Pages whose rows are read in the order of keys, unless memory alone is the limit: one row of queries reads f32 no
 * faster for requests. */
static int32_t asks_for_pages(const fv_decode_rows *r) {
    const fv_rows *k = &r->head->k;
    return fv_is_paged(k) && reads_of(r)->in_pieces && (r->count > 1 || k->type != FOVEA_F32);
}

void fv_run_ask(const fv_decode_rows *r, const fv_run *run) {
    const fv_head *head = r->head;
    if (!asks_for_pages(r))
        return;
    for (int32_t i = 0; i < run->part_count; i++) {
        const int64_t begin = run->key_begin + run->parts[i].begin, end = run->key_begin + run->parts[i].end;
        fv_ask_for_places(&head->k, begin, end, head->plan->desc.head_dim);
        fv_ask_for_places(&head->v, begin, end, head->plan->desc.head_dim_v);
    }
}

static int32_t is_read_whole(const fv_run *run) {
    return run->part_count == 1 && run->parts[0].end - run->parts[0].begin == run->keys;
}

/* Dot products of a run; of what is not read, any number. */
static void multiply_run(const fv_decode_rows *r, const fv_run *run) {
    for (int32_t row = 0; row < r->count && !is_read_whole(run); row++)
        memset(fv_row_scores(r, row), 0, (size_t)run->keys * sizeof(float));
    for (int32_t i = 0; i < run->part_count; i++) {
        const fv_key_range part = run->parts[i];
        multiply_keys(r, run->key_begin + part.begin, (int32_t)(part.end - part.begin), part.begin);
    }
}

void fv_run_score(const fv_decode_rows *r, const fv_run *run) {
    const fv_head *head = r->head;
    const int32_t keys = run->keys;
    fv_alibi alibi;
    multiply_run(r, run);
    if (head->plan->has_alibi)
        fv_alibi_of_lanes(head, 0, r->count, run->key_begin, &alibi);
    for (int32_t row = 0; row < r->count; row++) {
        float *s = fv_row_scores(r, row);
        if (r->safe && head->plan->safe_score_factor != 1.0f)
            fv_row_kernels_of(r)->scale(s, keys, head->plan->safe_score_factor);
        if (head->plan->cap > 0)
            fv_row_kernels_of(r)->softcap(s, keys, head->plan->cap);
        if (head->plan->has_alibi)
            fv_row_kernels_of(r)->alibi(s, keys, alibi.slope[row], alibi.diagonal[row]);
        if (head->plan->has_score_terms)
            fv_row_kernels_of(r)->add_terms(s, terms_of(r, row), keys);
        forbid_outside(s, keys, fv_see_lane(head, row, run->key_begin, keys));
    }
}

void fv_run_weigh(const fv_decode_rows *r, const fv_run *run) {
    for (int32_t i = 0; i < run->part_count; i++) {
        const fv_key_range part = run->parts[i];
        weigh_values(r, run->key_begin + part.begin, (int32_t)(part.end - part.begin), part.begin);
    }
}
