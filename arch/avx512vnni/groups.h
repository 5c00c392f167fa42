/* Groups of stored rows of bytes, whose digits' products are formed together. */
#ifndef FOVEA_ARCH_AVX512VNNI_GROUPS_H
#define FOVEA_ARCH_AVX512VNNI_GROUPS_H

#include <immintrin.h>

#include "arch/avx512/elements.h"
#include "arch/common/ahead.h"
#include "arch/kernel.h"

/* A run is taken in GROUPS of rows: GROUP_ROWS of each of GROUP_PIECES pieces of the run, so that several streams of
 * memory are read (row_pieces.inc); or, of what is left, rows that follow one another. */
enum { GROUP_ROWS = 16, GROUP_PIECES = 8, GROUP_KEYS = GROUP_ROWS * GROUP_PIECES };

typedef struct row_group {
    /* Its first row, and how many it has. */
    int32_t first;
    int32_t count;
    /* From a row of a piece to the same of the next one. */
    int32_t piece;
} row_group;

static int32_t groups_of_run(int32_t keys) {
    return (keys + GROUP_KEYS - 1) / GROUP_KEYS;
}

static row_group group_of_run(int32_t keys, int32_t number) {
    const int32_t whole = keys / GROUP_KEYS;
    if (number < whole)
        return (row_group){.first = number * GROUP_ROWS, .count = GROUP_KEYS, .piece = whole * GROUP_ROWS};
    return (row_group){.first = whole * GROUP_KEYS, .count = keys - whole * GROUP_KEYS, .piece = GROUP_ROWS};
}

/* Where the rows of a group lie: row `at` of piece n; beyond the group's end its last one. */
typedef const int8_t *row_places[GROUP_ROWS][GROUP_PIECES];

static void find_places(const fv_stored *stored, const row_group *group, row_places places) {
    const int32_t is_whole = group->count == GROUP_KEYS;
    if (is_whole && !stored->each) {
        const int8_t *first = (const int8_t *)stored->rows + group->first * stored->stride;
        for (int32_t at = 0; at < GROUP_ROWS; at++)
            for (int32_t n = 0; n < GROUP_PIECES; n++)
                places[at][n] = first + (n * group->piece + at) * stored->stride;
        return;
    }
    for (int32_t at = 0; at < GROUP_ROWS; at++)
        for (int32_t n = 0; n < GROUP_PIECES; n++) {
            const int32_t number = n * group->piece + at;
            const int32_t row = group->first + (is_whole || number < group->count ? number : group->count - 1);
            places[at][n] = stored->each ? stored->each[row] : (const int8_t *)stored->rows + row * stored->stride;
        }
}

/* Rows that will be needed soon, of so many bytes, `at_once` of which are asked for at a time. */
typedef struct byte_rows_ahead {
    const int8_t *const *row;
    int32_t left;
    int32_t at_once;
    int64_t bytes;
} byte_rows_ahead;

static inline void ask_for_byte_rows(byte_rows_ahead *ahead) {
    for (int32_t n = ahead->at_once; n > 0 && ahead->left > 0; n--, ahead->left--)
        ask_for(*ahead->row++, 0, ahead->bytes);
}

/* The groups of a run one after the other: a group, the places of its rows, and those of the next one's to ask for. */
typedef struct group_walk {
    const fv_stored *stored;
    int32_t number;
    row_group group;
    row_places places[2];
    byte_rows_ahead ahead;
} group_walk;

/* So many rows of the next group are asked for at a time. */
static void begin_groups(const fv_stored *stored, int32_t at_once, group_walk *walk) {
    const row_group first = group_of_run(stored->count, 0);
    walk->stored = stored;
    walk->number = -1;
    walk->ahead.at_once = at_once;
    walk->ahead.bytes = stored->length;
    find_places(stored, &first, walk->places[0]);
}

/* Returns 0 after the last one. */
static int32_t next_group(group_walk *walk) {
    const int32_t keys = walk->stored->count, groups = groups_of_run(keys);
    if (++walk->number == groups)
        return 0;
    walk->group = group_of_run(keys, walk->number);
    walk->ahead.left = 0;
    if (walk->number + 1 < groups) {
        const row_group next = group_of_run(keys, walk->number + 1);
        walk->ahead.row = walk->places[(walk->number + 1) % 2][0];
        walk->ahead.left = GROUP_KEYS;
        find_places(walk->stored, &next, walk->places[(walk->number + 1) % 2]);
    }
    return 1;
}

static const int8_t *(*places_of(group_walk *walk))[GROUP_PIECES] {
    return walk->places[walk->number % 2];
}

/* 64 bytes of a row, of which `count` are its own, and zeros behind them. */
static inline __attribute__((always_inline)) __m512i bytes_at(const int8_t *p, int64_t count) {
    return count >= 64 ? _mm512_loadu_si512(p) : _mm512_maskz_loadu_epi8((1ull << count) - 1, p);
}

/* A piece's scores of one query. */
static inline void store_scores(vf sums, const row_group *group, int32_t piece, float *s) {
    const int32_t left = group->count - piece * GROUP_ROWS;
    float *to = s + group->first + piece * group->piece;
    if (left >= GROUP_ROWS)
        v_store(to, sums);
    else if (left > 0)
        v_store_f32_part(to, left, sums);
}

#endif
