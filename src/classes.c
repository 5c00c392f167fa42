#include "src/classes.h"

#include <string.h>

#include "src/ask.h"
#include "src/integer.h"

enum { WORDS = FV_RUN_KEYS / 8, LANES_AHEAD = 2 };

/* Some byte of the words is 0. */
static uint64_t has_zero_byte(uint64_t word) {
    return (word - UINT64_C(0x0101010101010101)) & ~word & UINT64_C(0x8080808080808080);
}

/* What a row of mask says of the keys of a run. */
typedef struct findings {
    int32_t some;
    int32_t all;
} findings;

static uint64_t any_bits(const uint8_t *run) {
    uint64_t words[WORDS], any = 0;
    memcpy(words, run, sizeof words);
    for (int32_t i = 0; i < WORDS; i++)
        any |= words[i];
    return any;
}

static int32_t has_only_true(const uint8_t *run) {
    uint64_t words[WORDS], zero = 0;
    memcpy(words, run, sizeof words);
    for (int32_t i = 0; i < WORDS; i++)
        zero |= has_zero_byte(words[i]);
    return zero == 0;
}

static findings look_at_bytes(const uint8_t *mask, int64_t stride, int32_t count) {
    findings found = {0, 1};
    for (int32_t i = 0; i < count; i++) {
        found.some |= mask[i * stride] != 0;
        found.all &= mask[i * stride] != 0;
    }
    return found;
}

static uint32_t bits_at(fovea_type type, const void *bias, int64_t at) {
    uint32_t wide;
    uint16_t narrow;
    if (type == FOVEA_F32) {
        memcpy(&wide, (const char *)bias + at * (int64_t)sizeof wide, sizeof wide);
        return wide;
    }
    memcpy(&narrow, (const char *)bias + at * (int64_t)sizeof narrow, sizeof narrow);
    return narrow;
}

/* Some of `count` elements is not -inf. A dense bias is found so by its first one. */
static int32_t allows_some(fovea_type type, const void *bias, int64_t stride, int32_t count) {
    static const uint32_t minus_infinity[] = {[FOVEA_F32] = 0xff800000, [FOVEA_F16] = 0xfc00, [FOVEA_BF16] = 0xff80};
    for (int32_t i = 0; i < count; i++)
        /* NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): a bias is never int8 (validate_desc.c). */
        if (bits_at(type, bias, i * stride) != minus_infinity[type])
            return 1;
    return 0;
}

/* The rows of one tensor of terms, of every lane. */
typedef struct term_rows {
    int64_t offsets[FV_MAX_LANES];
    int64_t stride;
} term_rows;

static void find_rows(const fv_head *head, const int64_t *strides, int64_t first_lane, int32_t lanes, term_rows *rows) {
    fv_lane_offsets(head, strides, first_lane, lanes, rows->offsets);
    rows->stride = strides[3];
}

/* A panel's lanes being looked at. */
typedef struct look {
    const fv_head *head;
    fv_key_range keys;
    int64_t first_run;
    /* Runs that hold keys, and those that lie in the range of keys as a whole. */
    uint64_t present;
    uint64_t whole;
    term_rows mask;
    term_rows bias;
} look;

static fv_key_range keys_of_run(const look *l, int64_t run) {
    fv_key_range keys = {(l->first_run + run) * FV_RUN_KEYS, (l->first_run + run + 1) * FV_RUN_KEYS};
    keys.begin = keys.begin > l->keys.begin ? keys.begin : l->keys.begin;
    keys.end = fv_min64(keys.end, l->keys.end);
    return keys;
}

static const uint8_t *mask_at(const look *l, int32_t lane, int64_t key) {
    return l->head->args->mask + l->mask.offsets[lane] + key * l->mask.stride;
}

static findings look_at_mask(const look *l, int32_t lane, fv_key_range keys) {
    return look_at_bytes(mask_at(l, lane, keys.begin), l->mask.stride, (int32_t)(keys.end - keys.begin));
}

/* Whole runs of a contiguous row of mask without a bias: most of a sparse one is passed over here. */
static void look_at_whole_runs(const look *l, int32_t lane, uint64_t runs, uint64_t *some, uint64_t *all) {
    const uint8_t *row = mask_at(l, lane, l->first_run * FV_RUN_KEYS);
    for (uint64_t left = runs; left != 0; left &= left - 1) {
        const int32_t run = __builtin_ctzll(left);
        if (any_bits(row + run * FV_RUN_KEYS) != 0) {
            *some |= UINT64_C(1) << run;
            *all |= (uint64_t)has_only_true(row + run * FV_RUN_KEYS) << run;
        }
    }
}

static int32_t look_at_bias(const look *l, int32_t lane, fv_key_range keys) {
    const fovea_type type = l->head->plan->desc.type_bias;
    return allows_some(type, fv_element(l->head->args->bias, type, l->bias.offsets[lane] + keys.begin * l->bias.stride),
                       l->bias.stride, (int32_t)(keys.end - keys.begin));
}

/* Looks at the runs `open` of one lane. */
static void look_at_lane(const look *l, int32_t lane, uint64_t open, uint64_t *some, uint64_t *all) {
    const fovea_attention_args *args = l->head->args;
    *some = *all = 0;
    const uint64_t whole = args->mask && !args->bias && l->mask.stride == 1 ? open & l->whole : 0;
    look_at_whole_runs(l, lane, whole, some, all);
    for (uint64_t left = open & ~whole; left != 0; left &= left - 1) {
        const int32_t run = __builtin_ctzll(left);
        const fv_key_range keys = keys_of_run(l, run);
        findings found = args->mask ? look_at_mask(l, lane, keys) : (findings){1, 1};
        if (args->bias) {
            found.some = found.some && look_at_bias(l, lane, keys);
            found.all = 0;
        }
        *some |= (uint64_t)found.some << run;
        *all |= (uint64_t)found.all << run;
    }
}

static int32_t is_like_the_one_before(const look *l, int32_t lane) {
    const fovea_attention_args *args = l->head->args;
    return (!args->mask || l->mask.offsets[lane] == l->mask.offsets[lane - 1]) &&
           (!args->bias || l->bias.offsets[lane] == l->bias.offsets[lane - 1]);
}

/* The first `count` of FV_RUNS bits. */
static uint64_t first_bits(int64_t count) {
    return count >= FV_RUNS ? ~UINT64_C(0) : count <= 0 ? 0 : (UINT64_C(1) << count) - 1;
}

/* Turns to the runs from first_run on. */
static void turn_to(look *l, int64_t first_run) {
    const int64_t begin = l->keys.begin, end = l->keys.end;
    l->first_run = first_run;
    l->present = first_bits(fv_ceil_div(end, FV_RUN_KEYS) - first_run) & ~first_bits(begin / FV_RUN_KEYS - first_run);
    l->whole = first_bits(end / FV_RUN_KEYS - first_run) & ~first_bits(fv_ceil_div(begin, FV_RUN_KEYS) - first_run);
}

/* Rows of a mask lie far apart, and a row is looked at faster than it comes from memory: the lines of a later one are
 * asked for. */
static void ask_for_mask(const look *l, int32_t lane, int32_t end) {
    if (!l->head->args->mask || l->mask.stride != 1 || lane >= end)
        return;
    const uint8_t *row = mask_at(l, lane, l->first_run * FV_RUN_KEYS);
    const int64_t from = l->keys.begin - l->first_run * FV_RUN_KEYS;
    const int64_t to = fv_min64(l->keys.end - l->first_run * FV_RUN_KEYS, FV_RUNS * FV_RUN_KEYS);
    fv_ask(row, from > 0 ? from : 0, to);
}

/* Adds what one lane says of a window of runs to its vector's classes. Returns 0 if nothing was open any more: what is
 * allowed in part stays so, whatever the other lanes say. */
static int32_t look_at_window(const look *l, int32_t lane, int32_t lanes, uint64_t *some, uint64_t *all) {
    const uint64_t open = l->present & ~(*some & ~*all);
    uint64_t its_some, its_all;
    if (open == 0)
        return 0;
    ask_for_mask(l, lane + LANES_AHEAD, lanes);
    look_at_lane(l, lane, open, &its_some, &its_all);
    *some |= its_some;
    *all &= its_all | ~open;
    return 1;
}

/* One vector's classes in all windows, lane by lane: so rows are read from end to end. */
static void look_at_vector(look *l, int32_t vector, int32_t lanes, int32_t windows, fv_classes *classes) {
    const int32_t width = l->head->plan->backend->panel->lanes;
    const int32_t begin = vector * width, end = begin + width < lanes ? begin + width : lanes;
    for (int32_t w = 0; w < windows; w++) {
        turn_to(l, classes[w].first_run);
        classes[w].all[vector] = l->present;
    }
    for (int32_t lane = begin, open = 1; lane < end && open; lane++) {
        if (lane > begin && is_like_the_one_before(l, lane))
            continue;
        open = 0;
        for (int32_t w = 0; w < windows; w++) {
            turn_to(l, classes[w].first_run);
            open |= look_at_window(l, lane, lanes, &classes[w].some[vector], &classes[w].all[vector]);
        }
    }
}

void fv_classify(const fv_head *head, int64_t first_lane, int32_t lanes, fv_key_range keys, int64_t first_run,
                 int32_t windows, fv_classes *classes) {
    look l = {.head = head, .keys = keys};
    if (head->args->mask)
        find_rows(head, head->args->mask_strides, first_lane, lanes, &l.mask);
    if (head->args->bias)
        find_rows(head, head->args->bias_strides, first_lane, lanes, &l.bias);
    for (int32_t w = 0; w < windows; w++)
        classes[w] = (fv_classes){.first_run = first_run + (int64_t)w * FV_RUNS};
    for (int32_t v = 0; v * head->plan->backend->panel->lanes < lanes; v++)
        look_at_vector(&l, v, lanes, windows, classes);
}

static int32_t are_shared(const fovea_attention_args *args) {
    return (!args->mask || args->mask_strides[1] == 0) && (!args->bias || args->bias_strides[1] == 0);
}

int64_t fv_shared_class_panels(const fv_call *call) {
    const fv_geometry *geometry = &call->plan->geometry;
    return call->workspace.classes && are_shared(call->args) ? geometry->batch * call->workspace.class_panels : 0;
}

void fv_classify_shared(const fv_call *call, int64_t index) {
    const fv_geometry *geometry = &call->plan->geometry;
    const int64_t panels = call->workspace.class_panels, windows = call->workspace.class_windows;
    const fv_work work = {.batch = index / panels, .split = -1};
    const fv_head head = fv_head_of(call, (fv_item){&work, 0});
    const int64_t first = index % panels * geometry->panel_lanes;
    const int64_t lanes = fv_min64(geometry->panel_lanes, head.sequence->len_q * geometry->group - first);
    const fv_key_range keys =
        fv_item_keys(&head, &work, first / geometry->group, (first + lanes - 1) / geometry->group + 1);
    fv_classify(&head, first, (int32_t)lanes, keys, 0, (int32_t)windows, call->workspace.classes + index * windows);
}
