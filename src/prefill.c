#include "src/prefill.h"

#include "src/ahead.h"
#include "src/integer.h"
#include "src/panel.h"
#include "src/partial.h"
#include "src/stage.h"
#include "src/weights.h"

/* Places panel `index` of the sequence in the scratch, behind `lanes_before` lanes of the item. */
static void place_panel(const fv_head *head, const fv_work *work, int64_t index, int64_t lanes_before,
                        const fv_scratch *scratch, fv_panel *panel) {
    const fv_geometry *geometry = &head->plan->geometry;
    const int32_t vector = head->plan->backend->panel->lanes;
    const int64_t first = index * geometry->panel_lanes;
    const int64_t lanes = fv_min64(geometry->panel_lanes, head->sequence->len_q * geometry->group - first);
    const int64_t row_end = (first + lanes - 1) / geometry->group + 1;
    panel->first_lane = first;
    panel->lanes = (int32_t)lanes;
    panel->vectors = (int32_t)fv_ceil_div(lanes, vector);
    panel->ld = panel->vectors * vector;
    panel->keys = fv_item_keys(head, work, first / geometry->group, row_end);
    panel->q = scratch->q + lanes_before * head->plan->desc.head_dim;
    panel->o = scratch->o + lanes_before * head->plan->desc.head_dim_v;
    panel->m = scratch->m + lanes_before;
    panel->l = scratch->l + lanes_before;
    panel->o_total = scratch->o_total + lanes_before * head->plan->desc.head_dim_v;
    panel->l_total = scratch->l_total + lanes_before;
    /* Pairs begin at an even key, which no lane need see. */
    if (panel->keys.begin < panel->keys.end)
        panel->keys.begin -= panel->keys.begin % head->plan->key_step;
}

/* The panels of an item on their way through the keys. */
typedef struct item_run {
    const fv_call *call;
    const fv_head *head;
    fv_item item;
    /* What the same thread will probably take next; NULL: nothing. */
    const fv_item *next;
    fv_panel panels[FV_MAX_ITEM_PANELS];
    int32_t count;
    /* What some panel sees. */
    fv_key_range keys;
    const fv_scratch *scratch;
} item_run;

static int32_t has_block_before(const fv_panel *panel, int64_t limit) {
    return panel->next_key < panel->keys.end && panel->next_key < limit;
}

/* Keys that lane `lane` of a panel sees and the panel has not taken. */
static int64_t keys_left(const item_run *run, const fv_panel *panel, int64_t lane) {
    const int64_t row = (panel->first_lane + lane) / run->head->plan->geometry.group;
    const fv_key_range keys = fv_item_keys(run->head, run->item.work, row, row + 1);
    return keys.end - fv_clamp64(panel->next_key, keys.begin, keys.end);
}

/* About as many whole register tiles as are to be taken, by what an average lane sees; at least 1. Tiles of fewer
 * vectors have more keys, and a diagonal many tiles that are not whole, which ask for nothing. */
static int64_t tiles_left(const item_run *run) {
    const fv_panel_kernels *kernels = run->head->plan->backend->panel;
    int64_t vectors_of_scores = 0;
    for (int32_t i = 0; i < run->count; i++) {
        const fv_panel *panel = &run->panels[i];
        const int64_t keys = (keys_left(run, panel, 0) + keys_left(run, panel, panel->lanes - 1)) / 2;
        vectors_of_scores += keys * panel->vectors;
    }
    const int64_t tiles = vectors_of_scores / ((int64_t)kernels->tile_keys * kernels->vectors);
    return tiles > 0 ? tiles : 1;
}

/* What to ask for while a step is taken. */
typedef struct step_ahead {
    fv_ahead rows;
    fv_lines_ahead lines;
    /* Keys and values are asked for line by line, if there are any. */
    int32_t by_line;
    int32_t has_lines;
} step_ahead;

static void add_keys(const fv_head *head, fv_key_range keys, int64_t at_once, step_ahead *ahead) {
    /* Rows in pages do not lie in steps; they are read in order when they are copied. */
    if (fv_is_paged(&head->k))
        return;
    if (!ahead->by_line) {
        fv_ahead_keys(head, keys, at_once, &ahead->rows);
    } else if (keys.begin < keys.end) {
        ahead->lines = fv_ahead_lines(head, keys);
        ahead->has_lines = 1;
    }
}

static int32_t reads_same_keys(fv_item a, fv_item b) {
    return a.head_kv == b.head_kv && a.work->batch == b.work->batch && a.work->split == b.work->split;
}

/* Where the results will go, and what the next item begins with. */
static void add_end(const item_run *run, step_ahead *ahead) {
    const int64_t tiles = tiles_left(run);
    fv_ahead_results(run->head, run->item.work, tiles, &ahead->rows);
    if (run->next == NULL)
        return;
    const fv_head next = fv_head_of(run->call, *run->next);
    fv_ahead_queries(&next, run->next->work, tiles, &ahead->rows);
    if (reads_same_keys(run->item, *run->next))
        return;
    fv_key_range keys = fv_item_keys(&next, run->next->work, 0, next.sequence->len_q);
    const int64_t rows = fv_min64(keys.end - keys.begin, next.key_block);
    keys.end = keys.begin + rows;
    add_keys(&next, keys, fv_ceil_div(rows, tiles), ahead);
}

/* A panel that has the keys to itself, and no more vectors than its backend asks for by line. */
static int32_t asks_by_line(const item_run *run, int32_t users) {
    const fovea_plan *plan = run->head->plan;
    const int32_t vectors = plan->pair ? plan->pair->line_vectors : plan->backend->panel->line_vectors;
    return users == 1 && run->panels[0].vectors <= vectors;
}

/* What will be needed after the keys up to `end`, which `users` panels take. */
static step_ahead ahead_of_step(const item_run *run, int64_t end, int32_t users) {
    const fv_head *head = run->head;
    /* A panel by itself, where it does not ask by line, asks for as many rows as a tile has keys: a tile of few vectors
     * has twice the keys of a full one. Rows that will be widened are read in order, which needs no help. */
    const int32_t by_itself = users == 1 && head->k.type == FOVEA_F32;
    const int64_t at_once = by_itself ? 2 * head->plan->backend->panel->tile_keys : 1;
    const fv_key_range keys = {end, fv_min64(end + head->key_block, run->keys.end)};
    step_ahead ahead;
    ahead.rows.count = 0;
    ahead.by_line = asks_by_line(run, users);
    ahead.has_lines = 0;
    add_keys(head, keys, at_once, &ahead);
    if (end == run->keys.end)
        add_end(run, &ahead);
    return ahead;
}

/* Panels that need nothing of their next block pass over it before keys and values are staged for the others. */
static void skip_blocks(item_run *run, int64_t limit) {
    for (int32_t i = 0; i < run->count; i++)
        if (has_block_before(&run->panels[i], limit) && !fv_panel_needs_block(run->head, &run->panels[i]))
            fv_panel_skip_block(run->head, &run->panels[i]);
}

/* Every panel whose next block begins before `limit` takes it. */
static void take_step(item_run *run, int64_t limit) {
    int32_t users = 0;
    fv_key_range keys = {INT64_MAX, 0};
    skip_blocks(run, limit);
    for (int32_t i = 0; i < run->count; i++)
        if (has_block_before(&run->panels[i], limit)) {
            int64_t block_end = fv_panel_block_end(run->head, &run->panels[i]);
            keys.begin = fv_min64(keys.begin, run->panels[i].next_key);
            keys.end = keys.end > block_end ? keys.end : block_end;
            users++;
        }
    /* The last blocks may have taken a short rest along, or masks forbid all. */
    if (users == 0)
        return;
    fv_head staged = (run->head->plan->pair ? fv_stage_pairs : fv_stage)(run->head, keys, users, run->scratch);
    step_ahead ahead = ahead_of_step(run, keys.end, users);
    staged.ahead = &ahead.rows;
    staged.lines = ahead.has_lines ? &ahead.lines : NULL;
    for (int32_t i = 0; i < run->count; i++)
        if (has_block_before(&run->panels[i], limit))
            fv_panel_take_block(&staged, &run->panels[i], run->scratch);
}

/* All panels take the blocks of one step of the key grid before any goes on, so that keys and values stay in the cache.
 */
static void take_all_blocks(item_run *run) {
    const int64_t grid = run->head->key_block;
    for (int64_t step = run->keys.begin / grid * grid; run->keys.begin < run->keys.end && step < run->keys.end;
         step += grid)
        take_step(run, step + grid);
}

static void finish_panel(const fv_call *call, const fv_head *head, const fv_work *work, fv_panel *panel,
                         const fv_scratch *scratch) {
    fv_output output;
    fv_find_output(call, head, work, panel->first_lane, panel->lanes, &output);
    fv_panel_finish(head, panel, scratch, &output);
    fv_output_sums(call, head, work, panel->first_lane, panel->lanes, panel->m, panel->l);
    /* Without keys there may be no weights to point to. */
    if (fv_has_weights_rows(call->plan) && call->args->len_kv > 0)
        fv_panel_weights(head, panel, scratch);
}

static void begin_panels(item_run *run) {
    const fv_work *work = run->item.work;
    int64_t lanes = 0;
    run->count = (int32_t)(work->panel_end - work->panel_begin);
    run->keys = (fv_key_range){INT64_MAX, 0};
    for (int32_t i = 0; i < run->count; i++) {
        fv_panel *panel = &run->panels[i];
        place_panel(run->head, work, work->panel_begin + i, lanes, run->scratch, panel);
        fv_panel_begin(run->head, panel, run->scratch);
        lanes += panel->ld;
        if (panel->keys.begin == panel->keys.end)
            continue;
        run->keys.begin = fv_min64(run->keys.begin, panel->keys.begin);
        run->keys.end = panel->keys.end > run->keys.end ? panel->keys.end : run->keys.end;
    }
}

void fv_prefill_item(const fv_call *call, fv_item item, const fv_item *next, const fv_scratch *scratch) {
    const fv_head head = fv_head_of(call, item);
    /* Not an initialiser, which would clear the room of all panels for every item. */
    item_run run;
    run.call = call;
    run.head = &head;
    run.item = item;
    run.next = next;
    run.scratch = scratch;
    begin_panels(&run);
    const fv_pair_kernels *pair = call->plan->pair;
    if (pair && pair->begin)
        pair->begin();
    take_all_blocks(&run);
    if (pair && pair->end)
        pair->end();
    for (int32_t i = 0; i < run.count; i++)
        finish_panel(call, &head, item.work, &run.panels[i], scratch);
}
