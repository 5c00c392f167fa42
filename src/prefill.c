#include "src/prefill.h"

#include "src/integer.h"
#include "src/panel.h"
#include "src/partial.h"
#include "src/stage.h"
#include "src/weights.h"

/* Places panel `index` of the sequence in the scratch, behind `lanes_before` lanes of the item. */
static fv_panel panel_at(const fv_head *head, const fv_work *work, int64_t index, int64_t lanes_before,
                         const fv_scratch *scratch) {
    const fv_geometry *geometry = &head->plan->geometry;
    int32_t vector = head->plan->backend->panel->lanes;
    int64_t first = index * geometry->panel_lanes;
    int64_t lanes = fv_min64(geometry->panel_lanes, head->sequence->len_q * geometry->group - first);
    int64_t row_end = (first + lanes - 1) / geometry->group + 1;
    fv_panel panel = {
        .first_lane = first,
        .lanes = (int32_t)lanes,
        .vectors = (int32_t)fv_ceil_div(lanes, vector),
        .keys = fv_item_keys(head, work, first / geometry->group, row_end),
        .q = scratch->q + lanes_before * head->plan->desc.head_dim,
        .o = scratch->o + lanes_before * head->plan->desc.head_dim_v,
        .m = scratch->m + lanes_before,
        .l = scratch->l + lanes_before,
    };
    panel.ld = panel.vectors * vector;
    return panel;
}

static int32_t has_block_before(const fv_panel *panel, int64_t limit) {
    return panel->next_key < panel->keys.end && panel->next_key < limit;
}

/* The rows of [begin, end), none if that is empty, for `users` panels. */
static fv_ahead rows_ahead(const fv_head *head, int64_t begin, int64_t end, int32_t users) {
    const int64_t size = fv_type_bytes(head->k.type);
    /* A panel by itself asks for as many rows as a tile has keys: a tile of few vectors has twice the keys of a full
     * one. Rows that will be widened are read in order, which needs no help. */
    const int32_t by_itself = users == 1 && head->k.type == FOVEA_F32;
    if (begin >= end)
        return (fv_ahead){0};
    return (fv_ahead){
        .k = (uintptr_t)fv_row(&head->k, begin),
        .v = (uintptr_t)fv_row(&head->v, begin),
        .k_step = head->k.stride * size,
        .v_step = head->v.stride * size,
        .k_bytes = head->plan->desc.head_dim * size,
        .v_bytes = head->plan->desc.head_dim_v * size,
        .rows = end - begin,
        .at_once = by_itself ? 2 * head->plan->backend->panel->tile_keys : 1,
    };
}

/* Every panel whose next block begins before `limit` takes it; `end` is where the last of all blocks ends. */
static void take_step(const fv_head *head, fv_panel *panels, int32_t count, int64_t limit, int64_t end,
                      const fv_scratch *scratch) {
    int32_t users = 0;
    fv_key_range keys = {INT64_MAX, 0};
    for (int32_t i = 0; i < count; i++)
        if (has_block_before(&panels[i], limit)) {
            int64_t block_end = fv_panel_block_end(head, &panels[i]);
            keys.begin = fv_min64(keys.begin, panels[i].next_key);
            keys.end = keys.end > block_end ? keys.end : block_end;
            users++;
        }
    fv_head staged = fv_stage(head, keys, users, scratch);
    fv_ahead ahead = rows_ahead(head, keys.end, fv_min64(keys.end + head->plan->key_block, end), users);
    staged.ahead = &ahead;
    for (int32_t i = 0; i < count; i++)
        if (has_block_before(&panels[i], limit))
            fv_panel_take_block(&staged, &panels[i], scratch);
}

/* All panels take the blocks of one step of the key grid before any goes on, so that keys and values stay in the cache.
 */
static void take_all_blocks(const fv_head *head, fv_panel *panels, int32_t count, const fv_scratch *scratch) {
    int64_t grid = head->plan->key_block;
    int64_t begin = INT64_MAX, end = 0;
    for (int32_t i = 0; i < count; i++) {
        if (panels[i].keys.begin == panels[i].keys.end)
            continue;
        begin = fv_min64(begin, panels[i].keys.begin);
        end = panels[i].keys.end > end ? panels[i].keys.end : end;
    }
    for (int64_t step = begin / grid * grid; begin < end && step < end; step += grid)
        take_step(head, panels, count, step + grid, end, scratch);
}

static void finish_panel(const fv_call *call, const fv_head *head, const fv_work *work, fv_panel *panel,
                         const fv_scratch *scratch) {
    fv_output output = fv_output_of(call, head, work, panel->first_lane, panel->lanes);
    fv_panel_finish(head, panel, scratch, &output);
    fv_output_sums(call, head, work, panel->first_lane, panel->lanes, panel->m, panel->l);
    /* Without keys there may be no weights to point to. */
    if (call->plan->desc.weights && call->args->len_kv > 0)
        fv_panel_weights(head, panel, scratch);
}

void fv_prefill_item(const fv_call *call, fv_item item, const fv_scratch *scratch) {
    fv_head head = fv_head_of(call, item);
    fv_panel panels[FV_MAX_ITEM_PANELS];
    int32_t count = (int32_t)(item.work->panel_end - item.work->panel_begin);
    int64_t lanes = 0;
    for (int32_t i = 0; i < count; i++) {
        panels[i] = panel_at(&head, item.work, item.work->panel_begin + i, lanes, scratch);
        fv_panel_begin(&head, &panels[i], scratch);
        lanes += panels[i].ld;
    }
    take_all_blocks(&head, panels, count, scratch);
    for (int32_t i = 0; i < count; i++)
        finish_panel(call, &head, item.work, &panels[i], scratch);
}
