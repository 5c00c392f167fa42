/* Metamorphic tests: two calls whose results are related, whatever they are. Here is what the calls are made of, the
 * same for all relations, and how their results are compared. */
#ifndef FOVEA_TESTS_RELATION_H
#define FOVEA_TESTS_RELATION_H

#include "problem_stored.h"

/* A dense problem and the form in which its sequences are called. */
typedef struct variant {
    problem_spec spec;
    storage how;
} variant;

/* Dense ones of every type and shape; packed, paged and both of every type, with sequences of different lengths. */
enum { RELATION_VARIANTS = 24 };

/* Variant `number` for case `index`. Inputs are those that its form has: packed sequences have no mask and bias. */
variant variant_at(int32_t index, int64_t number, uint32_t inputs);

/* The same with so many rows and keys, of which the sequences of other than the dense form have any part. */
variant variant_sized(int32_t index, int64_t number, uint32_t inputs, int64_t len_q, int64_t len_kv);

/* It has a mask or a bias. */
bool has_terms(const variant *at);

/* Numbers of the variants that case _i takes. */
#define FOR_VARIANTS(number)                                       \
    for (int64_t number = 0; number < RELATION_VARIANTS; number++) \
        if (test_takes(number, _i))

/* Two problems whose results are related, row by row of what is stored of the first. */
typedef struct relation {
    const problem *one, *two;
    const storage *how;
    /* The largest difference of outputs; 0: the same bits, of log-sum-exps too. */
    double allowed;
} relation;

/* What roundings in another order may make of outputs around 1. */
double relation_tolerance(const problem *self);

/* Row (b, h, i) of one problem and row `other` of the other; log-sum-exps differ by `shift`. */
void compare_row(const relation *self, const int64_t at[3], const int64_t other[3], double shift);

/* All rows, each with its own in the other problem. */
void compare_rows(const relation *self, double shift);

/* --- Contents --- */

void copy_row(const tensor *from, const tensor *to, const int64_t source[3], const int64_t target[3]);

/* Key/value head h's key j of entry b, for both as {b, h, j}, with its scales. */
void copy_key_of_head(const problem *from, const problem *to, const int64_t source[3], const int64_t target[3]);

/* Key from_key of entry b, of all heads, becomes key to_key of the other problem, with its column of mask and bias. */
void copy_key(const problem *from, const problem *to, int64_t b, int64_t from_key, int64_t to_key);

void copy_queries(const problem *from, const problem *to);

/* A problem with the contents of another, of which it may differ in all but sizes, types and layouts. Its inputs may be
 * written, as those of all blank problems. */
problem *duplicate_of(const problem *from, const problem_spec *spec);

void destroy_both(problem *one, problem *two);

#endif
