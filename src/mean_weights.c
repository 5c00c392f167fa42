#include "src/mean_weights.h"

#include "src/integer.h"
#include "src/weights.h"

/* Blocks of keys that one item takes with every head: enough to be worth packing queries anew. */
enum { BLOCKS_AN_ITEM = 8 };

/* An item's part of the output. */
typedef struct part {
    int64_t batch;
    int64_t row_begin;
    int64_t row_end;
    fv_key_range keys;
} part;

/* Whole rows, so that one item adds up all heads of a row. */
static int64_t rows_of_item(const fv_geometry *geometry) {
    return geometry->group < geometry->panel_lanes ? geometry->panel_lanes / geometry->group : 1;
}

static int64_t keys_of_item(const fovea_plan *plan) {
    return (int64_t)BLOCKS_AN_ITEM * plan->key_block;
}

static int64_t row_parts(const fv_call *call) {
    return fv_ceil_div(call->args->len_q, rows_of_item(&call->plan->geometry));
}

static int64_t key_parts(const fv_call *call) {
    return fv_ceil_div(call->args->len_kv, keys_of_item(call->plan));
}

int64_t fv_mean_weights_items(const fv_call *call) {
    return call->plan->geometry.batch * row_parts(call) * key_parts(call);
}

static part part_at(const fv_call *call, int64_t index) {
    const int64_t rows = rows_of_item(&call->plan->geometry), keys = keys_of_item(call->plan);
    const int64_t key = index % key_parts(call) * keys;
    const int64_t row = index / key_parts(call) % row_parts(call) * rows;
    return (part){
        .batch = index / key_parts(call) / row_parts(call),
        .row_begin = row,
        .row_end = fv_min64(row + rows, call->args->len_q),
        .keys = {key, fv_min64(key + keys, call->args->len_kv)},
    };
}

static float *row_of(const fv_call *call, const part *p, int64_t row) {
    const int64_t *strides = call->args->weights_strides;
    return call->args->weights + p->batch * strides[0] + row * strides[2];
}

/* The panel of lanes from first_lane on, with the sums that the first pass left. */
static fv_panel panel_of(const fv_call *call, const fv_head *head, int64_t first_lane, int64_t lanes,
                         const fv_scratch *scratch) {
    const int32_t vector = call->plan->backend->panel->lanes;
    fv_panel panel = {
        .first_lane = first_lane,
        .lanes = (int32_t)lanes,
        .vectors = (int32_t)fv_ceil_div(lanes, vector),
        .q = scratch->q,
        .m = scratch->m,
        .l = scratch->l,
    };
    panel.ld = panel.vectors * vector;
    fv_panel_begin(head, &panel, scratch);
    const fv_sums sums = fv_sums_of(call, head, first_lane);
    for (int32_t lane = 0; lane < panel.ld; lane++) {
        panel.m[lane] = lane < lanes ? sums.m[lane] : 0.0f;
        panel.l[lane] = lane < lanes ? sums.l[lane] : 0.0f;
    }
    return panel;
}

static void add(const float *from, int32_t count, float *to) {
    for (int32_t i = 0; i < count; i++)
        to[i] += from[i];
}

static void add_panel(const fv_call *call, const part *p, const fv_shown *shown, const fv_panel *panel,
                      const fv_scratch *scratch) {
    const int32_t block = shown->plan.key_block;
    fv_key_range keys = fv_shown_keys(shown, panel->first_lane, panel->lanes);
    void *rows[FV_MAX_LANES] = {0};
    fv_shares shares;
    fv_panel_shares(panel, &shares);
    for (int32_t lane = 0; lane < panel->lanes; lane++)
        rows[lane] = scratch->term_rows + (int64_t)lane * FV_MAX_BLOCK;
    keys.begin = keys.begin > p->keys.begin ? keys.begin : p->keys.begin;
    keys.end = fv_min64(keys.end, p->keys.end);
    for (int64_t key = keys.begin; key < keys.end; key += block) {
        const int32_t count = (int32_t)fv_min64(keys.end - key, block);
        fv_panel_weights_of_keys(shown, panel, scratch, key, count, &shares, rows);
        for (int32_t lane = 0; lane < panel->lanes; lane++)
            add(rows[lane], count, row_of(call, p, (panel->first_lane + lane) / shown->plan.geometry.group) + key);
    }
}

static void add_head(const fv_call *call, const part *p, int64_t head_kv, const fv_scratch *scratch) {
    const fv_geometry *geometry = &call->plan->geometry;
    const fv_work work = {.batch = p->batch, .split = -1};
    const fv_head head = fv_head_of(call, (fv_item){&work, head_kv});
    const int64_t end = p->row_end * geometry->group;
    fv_shown shown;
    fv_show(&head, &shown);
    for (int64_t lane = p->row_begin * geometry->group; lane < end; lane += geometry->panel_lanes) {
        const fv_panel panel = panel_of(call, &shown.head, lane, fv_min64(end - lane, geometry->panel_lanes), scratch);
        add_panel(call, p, &shown, &panel, scratch);
    }
}

void fv_mean_weights_item(const fv_call *call, int64_t index, const fv_scratch *scratch) {
    const part p = part_at(call, index);
    const int64_t heads = call->plan->desc.heads_q;
    for (int64_t row = p.row_begin; row < p.row_end; row++)
        for (int64_t key = p.keys.begin; key < p.keys.end; key++)
            row_of(call, &p, row)[key] = 0.0f;
    for (int64_t head_kv = 0; head_kv < call->plan->geometry.heads_kv; head_kv++)
        add_head(call, &p, head_kv, scratch);
    for (int64_t row = p.row_begin; row < p.row_end; row++)
        for (int64_t key = p.keys.begin; key < p.keys.end; key++)
            row_of(call, &p, row)[key] /= (float)heads;
}
