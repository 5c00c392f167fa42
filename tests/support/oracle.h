/* What attention means, twice, from the definition and without any code of the library:
 *
 *   the oracle   in double precision; what may be expected of each element, non-finite ones included
 *   the naive    the same loops in f32; its error is the yardstick of the library's
 *
 * Both walk one query row at a time, key by key; inputs of narrow types are widened first, and packed and paged keys
 * gathered (widened.h). Results are those before they are rounded to the output's type. */
#ifndef FOVEA_TESTS_ORACLE_H
#define FOVEA_TESTS_ORACLE_H

#include <stdbool.h>
#include <stdint.h>

#include "fovea/attention.h"

/* What an element of a result must be. */
typedef enum expectation {
    /* Within tolerance of the value. A value of -inf or +inf must be met exactly. */
    EXPECT_VALUE,
    EXPECT_EXACTLY,
    EXPECT_NAN,
    /* The value (an infinity) or NaN: infinite values under a probability that may underflow; scores of +inf. */
    EXPECT_VALUE_OR_NAN,
    /* Infinite or NaN. */
    EXPECT_NOT_FINITE,
    /* IEEE arithmetic leaves it open. */
    EXPECT_ANYTHING,
    /* As it was: rows that belong to no sequence. */
    EXPECT_UNTOUCHED
} expectation;

/* One result tensor, contiguous. */
typedef struct expected {
    int64_t count;
    double *value;
    float *naive;
    unsigned char *kind;
} expected;

typedef struct oracle {
    /* (batch, heads_q, len_q, head_dim_v), (batch, heads_q, len_q), (batch, heads_q, len_q, len_kv) or, of the mean
     * over heads, (batch, len_q, len_kv); packed queries: as of one entry. */
    expected out;
    expected lse;
    expected weights;
    /* Rows i that were computed: i % row_step == 0, and the last. */
    int64_t row_step;
    /* The largest sum of |scale * q * k| + |ALiBi| + |bias|, and the largest |v|, over allowed positions. */
    double size;
    double max_v;
    /* The same sum over forbidden positions too, whose scores weights may show. */
    double size_shown;
    /* The largest |sink|, which a log-sum-exp may have to be rounded to. */
    double max_sink;
} oracle;

/* The problem must be one that the library accepts. row_step >= 1 leaves rows out, for large problems. */
oracle oracle_create(const fovea_attention_desc *desc, const fovea_attention_args *args, int64_t row_step);

void oracle_destroy(oracle *self);

bool oracle_has_row(const oracle *self, const fovea_attention_args *args, int64_t row);

/* The largest error that each result may have (semantics: "Accuracy"). */
double oracle_out_tolerance(const oracle *self);
double oracle_lse_tolerance(const oracle *self);
double oracle_weights_tolerance(const oracle *self, fovea_weights kind);

/* The largest error of the naive implementation. */
double oracle_naive_error(const expected *result);

/* An element of an index array of the problem. */
int64_t oracle_index(const void *array, fovea_index_type type, int64_t at);

#endif
