#include "src/mask.h"

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

static void see_lanes(const fv_head *head, int64_t first_lane, int32_t lanes, int32_t padded, int64_t key_begin,
                      int32_t keys, fv_visible *visible) {
    int64_t group = head->plan->geometry.group;
    int64_t member = first_lane % group;
    fv_key_range range = fv_see_lane(head, first_lane, key_begin, keys);
    for (int32_t lane = 0; lane < padded; lane++, member++) {
        if (member == group && lane < lanes) {
            member = 0;
            range = fv_see_lane(head, first_lane + lane, key_begin, keys);
        }
        visible->begin[lane] = (int32_t)range.begin;
        visible->end[lane] = (int32_t)range.end;
    }
}

/* Keys that some lane of vector v sees, widened to multiples of `step`. Lanes are in ascending order of begin and end.
 */
static int32_t begin_of(const fv_visible *visible, int32_t lanes_a_vector, int32_t step, int32_t v) {
    return visible->begin[v * lanes_a_vector] / step * step;
}

static int32_t end_of(const fv_visible *visible, int32_t lanes_a_vector, int32_t step, int32_t v) {
    return (visible->end[(v + 1) * lanes_a_vector - 1] + step - 1) / step * step;
}

/* The next begin or end after `key`, of a vector or of the full part. */
static int32_t next_boundary(const fv_visible *visible, int32_t lanes_a_vector, int32_t vectors, int32_t step,
                             int32_t key, int32_t keys) {
    int32_t next = keys;
    for (int32_t v = 0; v < vectors; v++) {
        int32_t begin = begin_of(visible, lanes_a_vector, step, v);
        int32_t end = end_of(visible, lanes_a_vector, step, v);
        if (begin > key)
            next = min32(next, begin);
        if (end > key)
            next = min32(next, end);
    }
    if (visible->full_begin > key)
        next = min32(next, visible->full_begin);
    if (visible->full_end > key)
        next = min32(next, visible->full_end);
    return next;
}

static void find_segments(fv_visible *visible, int32_t lanes_a_vector, int32_t vectors, int32_t step, int32_t keys) {
    visible->segment_count = 0;
    for (int32_t key = 0, next; key < keys; key = next) {
        next = next_boundary(visible, lanes_a_vector, vectors, step, key, keys);
        int32_t first = 0, last = 0;
        while (first < vectors && end_of(visible, lanes_a_vector, step, first) <= key)
            first++;
        while (last < vectors && begin_of(visible, lanes_a_vector, step, last) <= key)
            last++;
        if (first < last)
            visible->segments[visible->segment_count++] = (fv_segment){key, next, first, last};
    }
}

void fv_see_block(const fv_head *head, int64_t first_lane, int32_t lanes, int32_t vectors, int64_t key_begin,
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
    find_segments(visible, panel->lanes, vectors, step, keys);
}
