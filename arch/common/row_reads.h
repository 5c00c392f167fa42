/* What row_reads.inc needs beside a backend's vector vocabulary: the shapes of its loops, and how far ahead rows are
 * asked for. */
#ifndef FOVEA_ARCH_COMMON_ROW_READS_H
#define FOVEA_ARCH_COMMON_ROW_READS_H

#include "arch/common/ahead.h"

/* How far ahead of the loads rows are asked for. */
enum { PREFETCH_BYTES = 8192 };

/* Bytes between a row that lies a stride from the next, of elements of so many bytes, and the one to ask for while
 * reading it: a row a little further on. */
static inline int64_t steady_distance(const fv_stored *stored, int64_t element) {
    const int64_t rows = PREFETCH_BYTES / (stored->length * element);
    return (rows > 0 ? rows : 1) * stored->stride * element;
}

/* The same for any row, where that of those a stride apart is known; SCATTERED: rows are found by `each`. */
static inline __attribute__((always_inline)) int64_t distance_ahead(const fv_stored *stored, int32_t row,
                                                                    const int scattered, int64_t steady) {
    if (!scattered)
        return steady;
    return (int64_t)((uintptr_t)stored->each_ahead[row] - (uintptr_t)stored->each[row]);
}

/* Those from row `begin` on, of elements of so many bytes. */
static inline fv_stored rows_from(const fv_stored *all, int32_t begin, int64_t element) {
    fv_stored rest = *all;
    if (all->each) {
        rest.each += begin;
        rest.each_ahead += begin;
    } else {
        rest.rows = (const char *)all->rows + begin * all->stride * element;
    }
    if (all->scales)
        rest.scales += begin * all->scale_stride;
    rest.count -= begin;
    return rest;
}

/* Keeps the compiler from moving loads of one cache line before those of the line in front of it. */
static inline void in_order(void) {
    __asm__ volatile("" ::: "memory");
}

/* The first `count` lanes, zeros behind them: there an infinite factor would make NaN of padding. */
static inline vf first_lanes_of(vf x, int64_t count) {
    float lanes[V_LANES];
    v_store(lanes, x);
    return v_load_f32_part(lanes, count);
}

/* What fits the registers, and the memory: ROWS_AT_ONCE (4 or 8) rows of queries share what is read of a key or value;
 * ROW_DOT_KEYS(bytes, rows) keys (1 or 2) of `bytes` bytes an element are multiplied with `rows` queries at a time;
 * each product is ROW_DOT_SUMS (1 or 2) sums until its end: 2 where others cannot hide how long a sum takes;
 * ROW_SUM_KEYS(bytes) values are added to the output of a single query at a time: 1 where rows come from memory fastest
 * one after the other, 4 where arithmetic binds, 0 where an output stays in registers, as those of several queries do;
 * ROW_STRIP(rows) vectors of each of `rows` outputs, a power of two up to STRIP_MOST, stay there while values are added
 * to them. ROW_KEYS(bytes) keys, FV_MAX_RUN at most, are taken before their values: many where they are read in pieces.
 * ROW_IN_PIECES (0 or 1): rows are read from several places at a time; ROW_PIECE_STRIP vectors of each of one or two
 * outputs, and half as many of four, stay in registers then. ROW_HOLD(x) keeps a vector in a register, which the
 * compiler would rather load again for every use. */
#if !defined(ROWS_AT_ONCE) || !defined(ROW_DOT_KEYS) || !defined(ROW_DOT_SUMS) || !defined(ROW_SUM_KEYS) || \
    !defined(ROW_STRIP) || !defined(ROW_KEYS) || !defined(ROW_IN_PIECES) || !defined(ROW_HOLD)
#error "the backend's rows.c says what fits its registers"
#endif
/* A key is multiplied alike in pieces and in order, and a tile of pieces has a lane for each sum. */
#if ROW_IN_PIECES && (!defined(ROW_PIECE_STRIP) || ROW_DOT_SUMS != 1 || (V_LANES != 8 && V_LANES != 16))
#error "reading in pieces takes one sum a product and eight or sixteen lanes"
#endif

enum { STRIP_MOST = 16, DOT_KEYS_MOST = 2 };

/* Values whose columns are added to the outputs of several queries at a time. */
enum { STRIP_KEYS = 16 };

/* Runs of fewer values are not worth streaming: SHORT_SUM_KEYS of them at a time shorten the chain of sums. */
enum { STREAM_KEYS = 64, SHORT_SUM_KEYS = 4 };

/* Pieces of a run that are read in lockstep (row_pieces.inc): the first-level cache's sets have eight places, and
 * pieces a power of two apart share one. */
#define ROW_PIECES 8

/* Queries of a tile of pieces, at most. */
enum { TILE_ROWS_MOST = 4 };

/* Rows of each piece, one after the other, in a tile of one query. */
#define PIECE_DEPTH (V_LANES > ROW_PIECES ? V_LANES / ROW_PIECES : 1)

/* How many of `rows` queries a tile of pieces takes. */
static inline int32_t rows_in_tile(int32_t rows) {
    return rows >= TILE_ROWS_MOST ? TILE_ROWS_MOST : rows >= 2 ? 2 : 1;
}

/* Keeps the compiler from computing the address of each element in advance, more than there are registers. */
static inline const float *opaque(const float *p) {
    __asm__("" : "+r"(p));
    return p;
}

/* How many of `rows` rows to take at once. */
static inline int32_t rows_taken(int32_t rows) {
    return rows >= ROWS_AT_ONCE ? ROWS_AT_ONCE : rows < 4 ? rows : 4;
}

/* The members of an fv_row_reads. */
#define ROW_READS(NAME, BYTES) \
    { ROW_KEYS(BYTES), ROW_IN_PIECES, dots_##NAME, weighted_sum_##NAME, weighted_sum_marked_##NAME }

#endif
