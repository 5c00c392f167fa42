#include "src/mask.h"

#include <string.h>

#include "src/integer.h"

static int32_t min32(int32_t a, int32_t b) {
    return a < b ? a : b;
}

fv_key_range fv_see_lane(const fv_head *head, int64_t lane, int64_t key_begin, int32_t keys) {
    const fv_geometry *geometry = &head->plan->geometry;
    int64_t row = lane / geometry->group;
    fv_key_range range = fv_visible_keys(head->sequence, geometry->band, row, row + 1);
    int64_t begin = range.begin - key_begin;
    int64_t end = range.end - key_begin;
    begin = begin < 0 ? 0 : begin > keys ? keys : begin;
    end = end < begin ? begin : end > keys ? keys : end;
    return (fv_key_range){begin, end};
}

static int32_t clamp32(int32_t x, int32_t low, int32_t high) {
    return x < low ? low : x > high ? high : x;
}

/* The row that lane `lane` stands for is lane_row[lane] rows behind that of first_lane; lanes of padding stand for the
 * last one's. */
static void find_rows(int64_t first_lane, int64_t group, int32_t lanes, int32_t padded, int32_t *lane_row) {
    int32_t row = 0;
    int64_t left = group - first_lane % group;
    for (int32_t lane = 0; lane < padded; lane++) {
        lane_row[lane] = row;
        const int32_t ends_row = --left == 0 && lane < lanes - 1;
        row += ends_row;
        left = ends_row ? group : left;
    }
}

/* As fv_see_lane for every lane: from row to row the band moves by a key, the ends of the sequence stay. In 32 bits,
 * and without branches, for compilers to vectorise: bounds as far as this beyond the block are beyond it for all
 * lanes. */
static void see_lanes(const fv_head *head, int64_t first_lane, int32_t lanes, int32_t padded, int64_t key_begin,
                      int32_t keys, fv_visible *visible) {
    enum { BEYOND = 1 << 20 };
    const int64_t group = head->plan->geometry.group;
    const fv_band band = head->plan->geometry.band;
    const fv_sequence *sequence = head->sequence;
    const int32_t most = (int32_t)fv_clamp64(sequence->end_key - key_begin, 0, keys);
    const int32_t least = (int32_t)fv_clamp64(sequence->first_key - key_begin, 0, most);
    const int64_t diagonal = first_lane / group + sequence->offset - key_begin;
    const int32_t first_begin = (int32_t)fv_clamp64(diagonal + band.before, -BEYOND, BEYOND);
    const int32_t first_end = (int32_t)fv_clamp64(diagonal + band.after + 1, -BEYOND, BEYOND);
    int32_t lane_row[FV_MAX_LANES];
    find_rows(first_lane, group, lanes, padded, lane_row);
    for (int32_t lane = 0; lane < padded; lane++) {
        const int32_t begin = clamp32(first_begin + lane_row[lane], least, most);
        visible->begin[lane] = begin;
        visible->end[lane] = clamp32(first_end + lane_row[lane], begin, most);
    }
}

/* Keys that some lane of each vector sees, widened to multiples of `step`. */
typedef struct vector_keys {
    int32_t begin[FV_MAX_VECTORS];
    int32_t end[FV_MAX_VECTORS];
} vector_keys;

/* Lanes are in ascending order of begin and end. */
static vector_keys keys_of_vectors(const fv_visible *visible, int32_t lanes_a_vector, int32_t vectors, int32_t step) {
    vector_keys of = {{0}, {0}};
    for (int32_t v = 0; v < vectors; v++) {
        of.begin[v] = visible->begin[v * lanes_a_vector] / step * step;
        of.end[v] = (visible->end[(v + 1) * lanes_a_vector - 1] + step - 1) / step * step;
    }
    return of;
}

static int32_t nearer(int32_t boundary, int32_t key, int32_t next) {
    return boundary > key ? min32(next, boundary) : next;
}

/* The next begin or end after `key`, of a vector or of the full part. */
static int32_t next_boundary(const fv_visible *visible, const vector_keys *of, int32_t vectors, int32_t key,
                             int32_t keys) {
    int32_t next = nearer(visible->full_begin, key, nearer(visible->full_end, key, keys));
    for (int32_t v = 0; v < vectors; v++)
        next = nearer(of->begin[v], key, nearer(of->end[v], key, next));
    return next;
}

static void find_segments(fv_visible *visible, const vector_keys *of, int32_t vectors, int32_t keys) {
    visible->segment_count = 0;
    for (int32_t key = 0, next; key < keys; key = next) {
        next = next_boundary(visible, of, vectors, key, keys);
        int32_t first = 0, last = 0;
        while (first < vectors && of->end[first] <= key)
            first++;
        while (last < vectors && of->begin[last] <= key)
            last++;
        if (first < last)
            visible->segments[visible->segment_count++] = (fv_segment){key, next, first, last};
    }
}

static void see_bands(const fv_head *head, int64_t first_lane, int32_t lanes, int32_t vectors, int64_t key_begin,
                      int32_t keys, fv_visible *visible) {
    const fv_panel_kernels *panel = head->plan->backend->panel;
    fv_key_range first = fv_see_lane(head, first_lane, key_begin, keys);
    fv_key_range last = fv_see_lane(head, first_lane + lanes - 1, key_begin, keys);
    visible->all_full = first.begin == 0 && last.begin == 0 && first.end == keys && last.end == keys;
    if (visible->all_full) {
        visible->full_begin = 0;
        visible->full_end = keys;
        visible->segments[0] = (fv_segment){0, keys, 0, vectors};
        visible->segment_count = 1;
        return;
    }
    see_lanes(head, first_lane, lanes, vectors * panel->lanes, key_begin, keys, visible);
    const int32_t step = head->plan->key_step, tile = head->plan->tile_keys;
    visible->full_begin = ((int32_t)last.begin + step - 1) / step * step;
    int32_t full = (int32_t)first.end - visible->full_begin;
    visible->full_end = visible->full_begin + (full > 0 ? full / tile * tile : 0);
    const vector_keys of = keys_of_vectors(visible, panel->lanes, vectors, step);
    find_segments(visible, &of, vectors, keys);
}

void fv_see_block(const fv_head *head, int64_t first_lane, int32_t lanes, int32_t vectors, int64_t key_begin,
                  int32_t keys, fv_visible *visible) {
    see_bands(head, first_lane, lanes, vectors, key_begin, keys, visible);
    for (int32_t i = 0; i < visible->segment_count; i++)
        visible->has_terms[i] = head->plan->has_score_terms;
}

/* Narrows a piece of a segment, within one run, to the vectors that see any of it. Returns 0 if there is none. */
static int32_t narrow(const fv_classes *classes, int64_t run, fv_segment *piece) {
    while (piece->vector_begin < piece->vector_end && !fv_class_bit(classes->some, piece->vector_begin, run))
        piece->vector_begin++;
    while (piece->vector_begin < piece->vector_end && !fv_class_bit(classes->some, piece->vector_end - 1, run))
        piece->vector_end--;
    return piece->vector_begin < piece->vector_end;
}

static int32_t needs_terms(const fv_classes *classes, int64_t run, const fv_segment *piece) {
    for (int32_t v = piece->vector_begin; v < piece->vector_end; v++)
        if (!fv_class_bit(classes->all, v, run))
            return 1;
    return 0;
}

static int32_t goes_on(const fv_segment *segment, const fv_segment *piece) {
    return segment->key_end == piece->key_begin && segment->vector_begin == piece->vector_begin &&
           segment->vector_end == piece->vector_end;
}

/* Appends a piece, to the last one from number `first` on if it goes on where that ends. */
static void append_piece(fv_visible *visible, int32_t first, const fv_segment *piece, int32_t has_terms) {
    const int32_t count = visible->segment_count;
    if (count > first && goes_on(&visible->segments[count - 1], piece) && visible->has_terms[count - 1] == has_terms) {
        visible->segments[count - 1].key_end = piece->key_end;
        return;
    }
    visible->segments[count] = *piece;
    visible->has_terms[count] = has_terms;
    visible->segment_count++;
}

void fv_see_classes(const fv_class_pair *pair, int64_t key_begin, fv_visible *visible) {
    fv_segment bands[FV_MAX_SEGMENTS];
    const int32_t count = visible->segment_count;
    memcpy(bands, visible->segments, (size_t)count * sizeof bands[0]);
    visible->segment_count = 0;
    for (int32_t i = 0; i < count; i++) {
        /* Pieces of different bands stay apart: they differ in whether all lanes see them. */
        const int32_t first = visible->segment_count;
        for (int32_t key = bands[i].key_begin, next; key < bands[i].key_end; key = next) {
            const int64_t run = (key_begin + key) / FV_RUN_KEYS;
            next = min32(bands[i].key_end, (int32_t)((run + 1) * FV_RUN_KEYS - key_begin));
            const fv_classes *classes = fv_classes_of_run(pair, run);
            fv_segment piece = {key, next, bands[i].vector_begin, bands[i].vector_end};
            if (narrow(classes, run - classes->first_run, &piece))
                append_piece(visible, first, &piece, needs_terms(classes, run - classes->first_run, &piece));
        }
    }
}
