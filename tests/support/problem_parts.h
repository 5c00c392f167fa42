/* What the problem*.c files share. */
#ifndef FOVEA_TESTS_PROBLEM_PARTS_H
#define FOVEA_TESTS_PROBLEM_PARTS_H

#include "problem.h"

/* Offsets, lengths, first keys, query offsets and the block table, as the forms and the inputs demand; and what they
 * hold, with the number of pages that the block table needs. */
void problem_allocate_indices(problem *self);
void problem_draw_indices(problem *self, test_random *random);

/* All other tensors that a call reads, for as many pages; and what they hold. */
void problem_allocate_inputs(problem *self);
void problem_draw_inputs(problem *self, test_random *random);

/* Keys of entry b: its length, or all there is room for. */
int64_t problem_length_of(const problem *self, int64_t b);

/* Where query row i or key j of entry b lies: indices of the first axis and of the axis of rows. */
typedef struct token_place {
    int64_t outer, row;
} token_place;

token_place problem_place_of_row(const problem *self, int64_t b, int64_t i);
token_place problem_place_of_key(const problem *self, int64_t b, int64_t j);

/* Size of the first axis of what has a row for each query. */
static inline int64_t problem_outer_q(const problem_spec *spec) {
    return spec->form_q == FOVEA_FORM_PACKED ? 1 : spec->batch;
}

/* Around each call: a fault in between shows the problem. */
void problem_begin_call(const problem *self);
void problem_end_call(const problem *self);

#endif
