/* THE contract between src/ (what to compute, in which order, on which thread) and a backend (how, on one instruction
 * set).
 *
 * A backend is one constant table of function pointers. Calls are coarse: one call works on a PANEL of query rows
 * against a BLOCK of keys (a few hundred), so an indirect call costs nothing.
 *
 *
 * Query lanes
 * -----------
 * The vector dimension is the query. A panel holds `ld` LANES, a multiple of the backend's vector width; each lane is
 * one (query row, query head) pair that reads the panel's key/value head. Everything per panel is stored with the lane
 * index running fastest:
 *
 *              lane 0 ... ld-1                       lane 0 ... ld-1                       lane 0 ... ld-1
 *            +-----------------+                   +-----------------+                   +-----------------+
 *   d = 0    | q[0][lane]      |     key 0         | s[0][lane]      |      d = 0        | o[0][lane]      |
 *   ...      |   packed        |     ...           |   scores, then  |      ...          |   output        |
 *   D - 1    |   queries       |     keys - 1      |   probabilities |      Dv - 1       |                 |
 *            +-----------------+                   +-----------------+                   +-----------------+
 *
 * so maximum, sum and rescaling are vertical, keys need no tails, and keys and values are read in place, row-major, one
 * scalar at a time. A kernel may be told to work on some VECTORS of the panel only: it then gets pointers to the first
 * of them, `vectors` of them, and still `ld` as the distance between rows.
 *
 *
 * Scores
 * ------
 * Scores live in units of log2: queries are packed with scale * log2(e), so that exp(score) = exp2(s). The reference m
 * of a lane is a score near its largest so far, or FV_NO_SCORE if the lane has seen no key. Probabilities are relative
 * to it: p = exp2(s - m); l is the sum of p and o the sum of p * v. A forbidden position has s = -inf and p = 0.
 *
 * The exponential of FV_LEAST_EXPONENT and above (in panels without marks FV_LEAST_PANEL_EXPONENT) is accurate as
 * stated by fv_exp; below it is exactly 0; of -inf it is 0; NaN stays NaN.
 *
 *
 * Rules for every kernel
 * ----------------------
 *  1. Counts may be anything from 0 up to what the comment says; tails are the kernel's business.
 *  2. Only the stated elements are read or written. Prefetching elsewhere is allowed.
 *  3. The result of a lane (or row) depends on that lane's data alone: not on its position, nor on the other lanes, nor
 * on the number of vectors, nor on how keys are divided over tiles. This is what makes results independent of threads.
 * (In the row family the number of query rows, and of int8 the scales of the other keys of a run, may choose how sums
 * are formed: they follow from the problem.)
 *  4. No allocation, no globals, no OpenMP, no errno, no change of the floating-point environment.
 *  5. Pointers to packed data (q, s, o, m, l, start, peak, slope, diagonal, factor) are aligned to FV_ALIGNMENT, at
 * vector granularity; pointers to the caller's tensors are aligned to their element only. No pointer aliases another.
 *  6. Strides are in elements and may be negative.
 */
#ifndef FOVEA_ARCH_KERNEL_H
#define FOVEA_ARCH_KERNEL_H

#include <stddef.h>
#include <stdint.h>

#include "fovea/isa.h"
#include "fovea/types.h"

#define FV_ALIGNMENT 64
/* Bounds over all backends, for arrays on the stack of the caller. */
#define FV_MAX_LANES 48
#define FV_MAX_VECTORS 4
#define FV_MAX_ROWS 8
/* Largest number of keys of a block of a panel; s has room for it. */
#define FV_MAX_BLOCK 512
/* The same of a run of the row family; rows of its scores lie FV_RUN_STRIDE apart, not all in one set of the cache. */
#define FV_MAX_RUN 1024
#define FV_RUN_STRIDE (FV_MAX_RUN + 16)

#define FV_SHORT_HEAD 64
#define FV_LONG_HEAD 128

/* Most keys that the pair family interleaves at a time. */
#define FV_MAX_KEY_STEP 32

/* Most tensors, or parts of one, whose rows are asked for ahead of their use. */
#define FV_MAX_AHEAD 6

/* Exponentials of less than this are flushed to 0: they would be subnormal. */
#define FV_LEAST_EXPONENT (-126.0f)
/* So are a panel's of less than this, unless marks are asked for. Such a probability times a value may be subnormal,
 * which costs a multiply-add more than a hundred cycles on some processors. A panel whose result is infinite or NaN,
 * for it has such a value, is computed again with marks. */
#define FV_LEAST_PANEL_EXPONENT (-110.0f)

/* The reference of a lane that has seen no key: finite, so that -inf minus it is -inf and not NaN. */
#define FV_NO_SCORE (-3.402823466e+38f)

/* Which exponential a kernel uses. */
typedef enum fv_exp {
    /* SLEEF's exp2 with a 3.5 ULP bound. */
    FV_EXP_SLEEF = 0,
    /* A polynomial inline: relative error <= 2.4e-7. */
    FV_EXP_FUSED = 1,
    /* Pair family only: a polynomial inline with a relative error <= 1.2e-4. */
    FV_EXP_COARSE = 2
} fv_exp;

/* Keys [key_begin, key_end) of a block, seen by some lane of vectors [vector_begin, vector_end) and by no other vector.
 */
typedef struct fv_segment {
    int32_t key_begin;
    int32_t key_end;
    int32_t vector_begin;
    int32_t vector_end;
} fv_segment;

/* Rows of some tensor that will be needed soon, in groups as the lanes of a panel are: rows of several heads, then the
 * next row of each. Addresses, not pointers: nothing is read, and rows may lie anywhere. */
typedef struct fv_rows_ahead {
    /* The next row, its place in its group, and how many rows have not been asked for yet. */
    uintptr_t row;
    int64_t member;
    int64_t left;
    /* Length of a row, and distances from one member to the next and from one group to the next, in bytes. */
    int64_t bytes;
    int64_t member_step;
    int64_t group_step;
    /* Rows of a group. */
    int64_t group;
    /* How many rows to ask for between two tiles. */
    int64_t at_once;
} fv_rows_ahead;

/* What will be needed soon. A score kernel may ask the second-level cache for some of it between two tiles, where that
 * costs little; it then moves on and counts down. */
typedef struct fv_ahead {
    fv_rows_ahead rows[FV_MAX_AHEAD];
    int32_t count;
} fv_ahead;

/* Equal pieces of the rows of one tensor. Addresses are the first piece's, distances in bytes. */
typedef struct fv_address_pieces {
    uintptr_t row;
    int64_t bytes;
    int64_t step;
    /* Rows of each that are left. */
    int64_t left;
    /* From a row to the same of the next piece. */
    int64_t piece;
} fv_address_pieces;

/* As many streams as were fastest on Zen 3, of 1 to 32. */
#define FV_LINE_PIECES 8

/* Keys and values that will be needed soon, for a panel that has them to itself: it multiplies them faster than they
 * come from memory, so a tile asks for them as it goes, line by line, and memory is never idle. A kernel asks for one
 * to two lines for each line of keys or values that it takes, and moves on; from the last row on nothing new. Lines are
 * asked for in FV_LINE_PIECES pieces of the block in turn: each is a stream for the hardware prefetcher, which then is
 * ahead of the requests, so that these do not wait in the few buffers that the first-level cache has for misses. */
typedef struct fv_lines_ahead {
    /* The next line of the first piece and the end of its row; what to ask for, the same of the piece whose turn it is;
     * and how many pieces are left to ask for it. */
    uintptr_t line;
    uintptr_t row_end;
    uintptr_t asked;
    int64_t turns;
    /* The rows and those after them, and then the rows of another tensor. */
    fv_address_pieces now;
    fv_address_pieces then;
} fv_lines_ahead;

/* Arguments of the score kernels. */
typedef struct fv_score_args {
    /* First key row of the run; keys rows of head_dim elements (f32; pair family: bf16), k_stride apart. */
    const void *k;
    int64_t k_stride;
    int32_t keys;
    int64_t head_dim;
    /* Packed queries [head_dim][ld], or pairs [ceil(head_dim / 2)][ld], at the first vector to use. */
    const float *q;
    int32_t ld;
    int32_t vectors;
    /* Initial value of each lane's scores, [vectors * lanes]: -m for relative scores, or 0. */
    const float *start;
    /* Out: scores (or probabilities) [keys][ld]. */
    float *s;
    /* In and out: raised to the largest score of the run, per lane; a NaN score leaves it alone. NULL: not wanted. */
    float *peak;
    /* In and out, or NULL. */
    fv_ahead *ahead;
    /* In and out, or NULL; for at most `line_vectors` vectors. */
    fv_lines_ahead *lines;
    /* Pair family only: the factor of the dot products, which its queries do not hold. */
    float scale;
    /* Pair family's scores_exp only, in and out: sums of probabilities, [vectors * lanes]. */
    float *sum;
} fv_score_args;

/* Arguments of add_terms: scores, and what is added to them, stored as the caller does: one row a lane, one element a
 * key. */
typedef struct fv_term_args {
    /* In and out: scores [keys][ld], at the first vector to use. */
    float *s;
    int32_t ld;
    int32_t vectors;
    int32_t keys;
    /* Rows of each lane, [vectors * lanes], of `keys` elements. Numbers, of which -inf forbids, and bytes, of which 0
     * does. NULL: none; of single lanes too. */
    const float *const *bias;
    const uint8_t *const *mask;
    /* What the numbers are multiplied by. A product beyond f32 counts as the number itself. */
    float factor;
    /* In and out: raised to the largest result, per lane; NaN is passed over. NULL: not wanted. */
    float *peak;
} fv_term_args;

/* Keys whose probabilities are summed one after the other: equal ones are rounded alike each time, so that the error of
 * a longer sum would grow with its length. */
#define FV_SUMMED_KEYS 32

/* Arguments of the value kernels. */
typedef struct fv_value_args {
    /* First value row of the block; rows of head_dim_v elements, v_stride apart. */
    const float *v;
    int64_t v_stride;
    int64_t head_dim_v;
    /* Probabilities [key][ld], defined for the keys and vectors of the segments. */
    const float *p;
    int32_t ld;
    /* Vectors of the panel: ld / lanes. */
    int32_t vectors;
    /* Disjoint segments in ascending order of keys: what is outside them counts as probability 0. */
    const fv_segment *segments;
    int32_t segment_count;
    /* Non-zero: o and l are written without being read. */
    int32_t first;
    /* In and out: o [head_dim_v][ld] += v^T p and (but in the pair family) l [ld] += sum of p. The sum over the block
     * is formed first and then added; that of p is formed of sums over groups of FV_SUMMED_KEYS keys of the block. */
    float *o;
    float *l;
    /* In and out, or NULL, as of the score kernels. */
    fv_lines_ahead *lines;
} fv_value_args;

/* The panel family: many query rows against a block of keys. All members come from one backend, for the packed layouts
 * belong to it. */
typedef struct fv_panel_kernels {
    /* Lanes of a vector, and the most vectors of a panel. */
    int32_t lanes;
    int32_t vectors;
    /* The preferred number of keys of a block, at most 2/3 of FV_MAX_BLOCK: in general, and for heads of at most
     * FV_SHORT_HEAD elements. The scores and a column of the values should fit the first cache, keys and values the
     * second. */
    int32_t key_block;
    int32_t key_block_short;
    /* The same of a panel that has all keys of its sequence to itself, so that they pass through the second cache but
     * once, half of it being asked for while the other half is used; half as many for heads of more than FV_LONG_HEAD
     * elements. 0: no other. */
    int32_t key_block_single;
    /* Lanes of an item that copies keys and values, of at most FV_MAX_ITEM_PANELS panels (src/prefill.h); 0: as many as
     * of any other item. */
    int32_t copying_lanes;
    /* Keys of a register tile: runs of a multiple of it have no tail. */
    int32_t tile_keys;
    /* Panels of up to so many vectors ask for what will be needed line by line. */
    int32_t line_vectors;

    /* Transposes rows into lanes: packed[i * ld + lane] = rows[lane][i] * scale for i < count, lane < ld. A NULL row
     * gives zeros. */
    void (*pack)(const float *const *rows, int32_t ld, int64_t count, float scale, float *packed);

    /* The way back: rows[lane][i] = packed[i * ld + lane] * factor[lane], for every row that is not NULL. The rows are
     * of `type`, f32, f16 or bf16, to which products are rounded as the conversion family rounds. Returns non-zero if
     * all products of those rows are finite before that. */
    int32_t (*unpack)(void *const *rows, fovea_type type, int32_t ld, int64_t count, const float *packed,
                      const float *factor);

    /* s[key][lane] = start[lane] + sum over d, in ascending order, of k[key][d] * q[d][lane]. */
    void (*scores)(const fv_score_args *args);

    /* The same followed by s = exp2(s), by the inline exponential; peak is that of the scores. What a score above 127
     * gives is not specified: the caller looks at peak. */
    void (*scores_exp)(const fv_score_args *args);

    /* The same by SLEEF's exp2. */
    void (*scores_exp_sleef)(const fv_score_args *args);

    /* Keys [key_begin, key_end) of the block, `vectors` vectors: s[key][lane] = -inf unless
     * visible_begin[lane] <= key < visible_end[lane]; peak (may be NULL) is raised to what remains. s points to key 0
     * of the block. */
    void (*mask_lanes)(float *s, int32_t ld, int32_t vectors, int32_t key_begin, int32_t key_end,
                       const int32_t *visible_begin, const int32_t *visible_end, float *peak);

    /* peak[lane] = max(peak[lane], s[key][lane]) over keys; NaN is passed over. */
    void (*peaks)(const float *s, int32_t ld, int32_t vectors, int32_t keys, float *peak);

    /* s = cap * tanh(s), tanh within 1.6 ULP. */
    void (*softcap)(float *s, int32_t ld, int32_t vectors, int32_t keys, float cap);

    /* s[key][lane] -= slope[lane] * |diagonal[lane] - key|, the product rounded with the difference where the
     * instruction set can; peak (may be NULL) is raised to the results. */
    void (*alibi)(float *s, int32_t ld, int32_t vectors, int32_t keys, const float *slope, const float *diagonal,
                  float *peak);

    /* s += bias * factor, or -inf where bias or mask forbid, whatever the score. */
    void (*add_terms)(const fv_term_args *args);

    /* s = exp2(s - shift[lane]); shift NULL: exp2(s). mark_forbidden non-zero: where s is -inf the result is -0.0,
     * which values_marked tells from a probability that underflowed. Differences above 127 give an unspecified value
     * with FV_EXP_FUSED; the caller prevents them. */
    void (*exponentials)(float *s, int32_t ld, int32_t vectors, int32_t keys, const float *shift, fv_exp exp,
                         int32_t mark_forbidden);

    /* o[i][lane] *= factor[lane] for i < count. */
    void (*rescale)(float *o, int32_t ld, int32_t vectors, int64_t count, const float *factor);

    /* o += v^T p, l += sum of p. */
    void (*values)(const fv_value_args *args);

    /* The same, but a position whose p is -0.0 takes no part: 0 times a NaN or infinite value is not added. */
    void (*values_marked)(const fv_value_args *args);
} fv_panel_kernels;

/* The pair family: the panel family's scores, probabilities and values by an instruction that multiplies pairs of bf16
 * numbers, with sums in f32. All else that is done with a panel is the panel family's: scores before they are
 * probabilities, outputs, references and sums have its layout, so `lanes` and `vectors` are those of the panel family
 * of the same backend.
 *
 * A PAIR is two bf16 numbers in 32 bits, that of the lower index in the lower half. It takes the place of a float in
 * packed arrays, which are of that type; nothing computes with it as one:
 *
 *              lane 0 ... ld-1                       lane 0 ... ld-1                       element 0 ... Dv-1
 *            +-----------------+                   +-----------------+                   +--------------------+
 *   d = 0, 1 | q[0], q[1]      |   key 0, 1        | p[0], p[1]      |   key 0, 1        | v[0][d], v[1][d]   |
 *   ...      |   queries,      |   ...             |  probabilities  |   ...             |   values           |
 *            |   unscaled      |                   |                 |                   |                    |
 *            +-----------------+                   +-----------------+                   +--------------------+
 *
 * An odd number of elements or keys leaves the upper half of the last pair 0. Runs of keys begin at an even key of
 * their block, and at a multiple of key_step / 2. Products are exact and every sum is rounded to nearest. Subnormal
 * numbers may count as 0.
 *
 * Values are interleaved `key_step` keys at a time: 2, as above, or more, so that the pairs of an element lie next to
 * one another. Blocks begin at multiples of it, and so do segments, which end there too but for the end of the block.
 */
typedef struct fv_pair_kernels {
    /* As in the panel family. tile_keys, key_block and key_block_short are multiples of key_step. */
    int32_t lanes;
    int32_t vectors;
    int32_t key_block;
    int32_t key_block_short;
    int32_t tile_keys;
    int32_t line_vectors;

    /* Keys that are interleaved at a time: even, and FV_MAX_KEY_STEP is a multiple of it. */
    int32_t key_step;

    /* Called by a thread before it uses scores, scores_exp, scores_exp_coarse or values, and after: they may set up a
     * state of the processor's that lasts in between. NULL: nothing to do. */
    void (*begin)(void);
    void (*end)(void);

    /* Transposes rows of `count` bf16 elements into lanes of pairs. A NULL row gives zeros. */
    void (*pack)(const uint16_t *const *rows, int32_t ld, int64_t count, float *packed);

    /* pairs[i * key_step / 2 + j] = (rows[2 * j][i], rows[2 * j + 1][i]) for i < count, j < key_step / 2. Some of the
     * last rows, but not the first, may be NULL: zeros. Where key_step is not 2, zeros fill up the elements to a
     * multiple of `lanes`. */
    void (*interleave)(const uint16_t *const *rows, int64_t count, float *pairs);

    /* s[key][lane] = start[lane] + scale * sum over d of k[key][d] * q[d][lane], the product with scale and the
     * addition of start rounded once. */
    void (*scores)(const fv_score_args *args);

    /* The same followed by exp2, as `probabilities` does it with the inline exponential: s holds pairs [ceil(keys /
     * 2)][ld]. What a score above 127 gives is not specified. */
    void (*scores_exp)(const fv_score_args *args);

    /* The same with the coarse exponential. */
    void (*scores_exp_coarse)(const fv_score_args *args);

    /* p = pairs of exp2(s - shift[lane]), rounded to nearest, for `keys` rows of scores; shift NULL: exp2(s). sum[lane]
     * += the probabilities before they are rounded, in ascending order of keys. p does not overlap s, which is scratch
     * afterwards. Differences above 127 give an unspecified value with FV_EXP_FUSED. */
    void (*probabilities)(float *s, int32_t ld, int32_t vectors, int32_t keys, const float *shift, fv_exp exp, float *p,
                          float *sum);

    /* o += v^T p. Keys of segments are counts of pairs; v are rows as `interleave` makes them, of key_step keys each; l
     * is not used. The sums of key_step keys may be added to o one after the other. */
    void (*values)(const fv_value_args *args);
} fv_pair_kernels;

/* Rows of keys or values in their stored type. */
typedef struct fv_stored {
    /* `count` rows of `length` elements, stride apart. */
    const void *rows;
    int64_t stride;
    int32_t count;
    int64_t length;
    /* int8 only: the scale of each row; they are scale_stride apart. */
    const float *scales;
    int64_t scale_stride;
    /* NULL; or where each of the rows lies, which `rows` and `stride` then do not say, and what to ask for while it is
     * read. Nothing is read there. */
    const void *const *each;
    const void *const *each_ahead;
} fv_stored;

/* How the row family reads keys and values of one stored type: in place, each element once for all rows, widened in
 * registers as the conversion family widens them. */
typedef struct fv_row_reads {
    /* Keys between a switch from keys to values, at most FV_MAX_RUN: so many that what is done once for all of them is
     * little; rows that are read in order also so few that both streams stay in the hardware prefetcher's view. */
    int32_t key_block;
    /* Non-zero: rows of a run are read from several places at a time, whatever their addresses. A run in pages then
     * comes in the order of its keys; else in the order in which it is to be read. */
    int32_t in_pieces;

    /* s, p: aligned to their element only, for a run of keys may begin anywhere in a block.
     *
     * s[row * s_stride + key] = sum over d of q[row * q_stride + d] * k[key][d], rows <= FV_MAX_ROWS. q is packed:
     * scaled, rows q_stride apart, aligned. */
    void (*dots)(const float *q, int64_t q_stride, int32_t rows, const fv_stored *k, float *s, int64_t s_stride);

    /* o[row * o_stride + d] += sum over keys of p[row * p_stride + key] * v[key][d], rows <= FV_MAX_ROWS. */
    void (*weighted_sum)(const float *p, int64_t p_stride, int32_t rows, const fv_stored *v, float *o,
                         int64_t o_stride);

    /* The same, but a position whose p is -0.0 takes no part. */
    void (*weighted_sum_marked)(const float *p, int64_t p_stride, int32_t rows, const fv_stored *v, float *o,
                                int64_t o_stride);
} fv_row_reads;

/* The row family: few query rows (decoding). Rows are stored one after the other, keys run fastest. */
typedef struct fv_row_kernels {
    /* The largest of s[0 ... count-1] and `peak`; NaN is passed over. */
    float (*peak)(const float *s, int32_t count, float peak);

    /* s = cap * tanh(s), as in the panel family. */
    void (*softcap)(float *s, int32_t count, float cap);

    /* s[key] -= slope * |diagonal - key|, as in the panel family. */
    void (*alibi)(float *s, int32_t count, float slope, float diagonal);

    /* s = terms == -inf ? -inf : s + terms. */
    void (*add_terms)(float *s, const float *terms, int32_t count);

    /* s = exp2(s - shift), marked as in the panel family; returns the sum of the results, in an order that depends on
     * `count` alone. */
    float (*exponentials)(float *s, int32_t count, float shift, fv_exp exp, int32_t mark_forbidden);

    /* x *= factor. */
    void (*scale)(float *x, int64_t count, float factor);

    /* Natural log-sum-exp: lse[i] = (m[i] + log2(l[i])) / log2(e), or -inf where l[i] is 0. */
    void (*log_sum_exp)(const float *m, const float *l, int32_t count, float *lse);
} fv_row_kernels;

/* The conversion family: rows of elements between the types in which tensors are stored and f32. f16 is IEEE binary16,
 * bf16 the upper half of binary32, both as their bits.
 *
 * Widening is exact. Narrowing rounds to nearest, ties to even: from half a unit above the largest number on to
 * infinity, below the normal f16 numbers to subnormal ones. An infinity stays one; a NaN keeps its sign and the upper
 * bits of its payload and is quiet (widening bf16 moves bits only and leaves a signalling one as it is).
 *
 * Subnormal f16 numbers are exact whatever the denormal modes of the thread (DAZ, FTZ, FZ): the instructions for f16
 * disregard them, and the others work on integers. Subnormal bf16 numbers are subnormal in f32 too, and pass as bits.
 * The rounding mode is that of the instruction where it has one of its own (x86, and the portable code); NEON's f16
 * follows the thread's. */
typedef struct fv_convert_kernels {
    /* to[i] = from[i] for i < count. */
    void (*widen_f16)(const uint16_t *from, int64_t count, float *to);
    void (*widen_bf16)(const uint16_t *from, int64_t count, float *to);

    /* to[i] = from[i] * scale, rounded once. */
    void (*widen_int8)(const int8_t *from, int64_t count, float scale, float *to);

    /* to[i] = from[i], rounded. */
    void (*narrow_f16)(const float *from, int64_t count, uint16_t *to);
    void (*narrow_bf16)(const float *from, int64_t count, uint16_t *to);

    /* The largest |from[i]|; NaN if one of them is NaN or infinite. */
    float (*magnitude)(const float *from, int64_t count);

    /* Symmetric quantisation: to[i] = from[i] / scale, rounded to nearest, ties to even, within -127 ... 127. A scale
     * that is 0 or NaN gives zeros. */
    void (*narrow_int8)(const float *from, int64_t count, float scale, int8_t *to);
} fv_convert_kernels;

/* The rotary family: rotary position embeddings. A row's elements stand in pairs, and each pair is turned as a vector
 * of the plane: (x, y) becomes (x cos - y sin, y cos + x sin). Outputs may be the inputs. */
typedef struct fv_rotary_kernels {
    /* to[i] = 2^(slope * (first + i)) for i < count. */
    void (*frequencies)(double slope, int64_t first, int64_t count, double *to);

    /* cosines[i] = amplitude * cos(position * frequencies[i]), sines likewise, for i < count: computed in double and
     * rounded to f32, so that the angle is exact to 2e-16 of itself however often it goes round. */
    void (*angles)(double position, const double *frequencies, int64_t count, double amplitude, float *cosines,
                   float *sines);

    /* Pairs (first[i], second[i]) for i < count. */
    void (*rotate_halves)(const float *first, const float *second, const float *cosines, const float *sines,
                          int64_t count, float *first_out, float *second_out);

    /* Pairs (pairs[2 i], pairs[2 i + 1]) for i < count. */
    void (*rotate_pairs)(const float *pairs, const float *cosines, const float *sines, int64_t count, float *out);
} fv_rotary_kernels;

/* What a backend offers. An extended backend replaces a family and points to its base's table for the rest. */
typedef struct fv_backend {
    /* Name and identity, as in backends.def. */
    const char *name;
    fovea_isa isa;
    const fv_panel_kernels *panel;
    const fv_row_kernels *row;
    /* How the row family reads keys and values, by fovea_type. */
    const fv_row_reads *read[FOVEA_INT8 + 1];
    const fv_convert_kernels *convert;
    const fv_rotary_kernels *rotary;
    /* NULL: no bf16 arithmetic. */
    const fv_pair_kernels *pair;
} fv_backend;

#endif
