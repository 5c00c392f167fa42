/* The sequences of a dense problem, stored in another form and called in it: packed, in pages, or dense with other
 * strides and more room. What a test says about sequences it can say once, of dense problems, and run in every form. */
#ifndef FOVEA_TESTS_PROBLEM_STORED_H
#define FOVEA_TESTS_PROBLEM_STORED_H

#include "problem.h"

enum { STORED_MOST = 4 };

/* Rows [row_begin, row_end) of an entry of the dense problem, and its keys [key_begin, key_end). */
typedef struct stored_sequence {
    int64_t entry, row_begin, row_end, key_begin, key_end;
} stored_sequence;

typedef struct storage {
    fovea_form form_q, form_kv;
    int64_t page_size;
    /* The batch, in its order. Dense queries: of equally many rows. */
    int64_t count;
    stored_sequence sequences[STORED_MOST];
    /* A sequence begins with key key_begin; else with key 0, and first_keys say where its valid ones begin. */
    bool drops_first_keys;
    /* Keys that every sequence has room for behind its own. */
    int64_t room;
    /* Packed: tokens before the first sequence, and behind the last. */
    int64_t around;
    /* Draws strides, and the order of pages. */
    uint64_t seed;
    /* Tokens of no sequence are ordinary numbers, instead of NaN, infinities and huge ones. */
    bool clean;
} storage;

/* All of a dense problem, as it is. */
storage storage_of(const problem_spec *dense);

/* Calls with what the storage takes of `from`, a dense problem without lengths and first keys but with a log-sum-exp,
 * and puts the rows of the results where a dense call would have put them: into `to`, a problem of the same sizes,
 * perhaps the same one. Fails the test unless the call succeeds and all its results are numbers, as they are of finite
 * inputs. */
void stored_run(const problem *from, const storage *how, problem *to);

#endif
