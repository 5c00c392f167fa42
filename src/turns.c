#include "src/turns.h"

#include "src/ask.h"
#include "src/integer.h"

/* Pages that are read at the same time. */
enum { PAGES_IN_TURN = 4 };

/* How many keys ahead a page is first touched, so that its address is translated and its memory row open when its lines
 * are asked for; and how far apart in large pages. */
enum { TOUCHED_AHEAD = 256, TOUCHED_BYTES = 4096 };

/* Keys of one page. */
typedef struct piece {
    /* The first one, counted from the run's first, and how many. */
    int32_t key;
    int32_t count;
    const char *row;
    const char *ahead;
} piece;

static void touch(const fv_rows *rows, int64_t key, int32_t count) {
    const void *first = fv_row(rows, key);
    const int64_t step = rows->stride * fv_type_bytes(rows->type);
    /* Rows far apart are touched once each, however much lies between them. */
    const int64_t each = step > 0 && step < TOUCHED_BYTES ? fv_ceil_div(TOUCHED_BYTES, step) : 1;
    for (int32_t i = 0; i < count; i += (int32_t)each)
        fv_ask(first, i * step, i * step + 1);
}

static piece piece_of(const fv_rows *rows, int64_t begin, int64_t key, int64_t end, int64_t limit) {
    const int64_t next = key + FV_TURN_KEYS;
    piece one = {
        .key = (int32_t)(key - begin),
        .count = (int32_t)fv_keys_in_page(&rows->pages, key, end),
        .row = fv_row(rows, key),
    };
    one.ahead = next < limit ? fv_row(rows, next) : one.row;
    if (key + TOUCHED_AHEAD < limit)
        touch(rows, key + TOUCHED_AHEAD, one.count);
    return one;
}

/* Row `at` of a piece becomes row n. */
static inline void take_row(const piece *from, int32_t at, int64_t step, fv_turns *turns, int32_t n) {
    turns->key[n] = from->key + at;
    turns->row[n] = from->row + at * step;
    turns->ahead[n] = from->ahead + at * step;
}

/* Row by row from one piece after the other; longer ones go on alone. */
static void take_pieces(const fv_rows *rows, const piece *pieces, int32_t count, fv_turns *turns) {
    const int64_t step = rows->stride * fv_type_bytes(rows->type);
    int32_t shortest = pieces[0].count;
    for (int32_t i = 1; i < count; i++)
        shortest = pieces[i].count < shortest ? pieces[i].count : shortest;
    for (int32_t i = 0; i < count; i++)
        for (int32_t at = 0; at < shortest; at++)
            take_row(&pieces[i], at, step, turns, turns->count + at * count + i);
    turns->count += shortest * count;
    for (int32_t i = 0; i < count; i++)
        for (int32_t at = shortest; at < pieces[i].count; at++)
            take_row(&pieces[i], at, step, turns, turns->count++);
}

/* Found by the pages again: only int8 rows have them. */
static void take_scales(const fv_rows *rows, int64_t begin, fv_turns *turns) {
    for (int32_t i = 0; i < turns->count; i++)
        turns->scale[i] = *fv_row_scales(rows, begin + turns->key[i]);
}

void fv_take_turns(const fv_rows *rows, int64_t begin, int64_t end, int64_t limit, fv_turns *turns) {
    turns->count = 0;
    for (int64_t key = begin; key < end;) {
        piece pieces[PAGES_IN_TURN];
        int32_t count = 0;
        do {
            pieces[count] = piece_of(rows, begin, key, end, limit);
            key += pieces[count++].count;
        } while (count < PAGES_IN_TURN && key < end);
        take_pieces(rows, pieces, count, turns);
    }
    if (rows->type == FOVEA_INT8)
        take_scales(rows, begin, turns);
}

fv_stored fv_stored_turns(const fv_turns *turns, int64_t length) {
    return (fv_stored){
        .count = turns->count,
        .length = length,
        .scales = turns->scale,
        .scale_stride = 1,
        .each = turns->row,
        .each_ahead = turns->ahead,
    };
}

void fv_turns_to_keys(const fv_turns *turns, const float *by_row, float *by_key) {
    for (int32_t i = 0; i < turns->count; i++)
        by_key[turns->key[i]] = by_row[i];
}

void fv_keys_to_turns(const fv_turns *turns, const float *by_key, float *by_row) {
    for (int32_t i = 0; i < turns->count; i++)
        by_row[i] = by_key[turns->key[i]];
}
