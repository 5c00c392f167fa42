/* Metamorphic tests of where inputs are stored: the same sequences, packed or in pages, with anything around them, give
 * the same results, and the same bits unless dense keys become paged ones. What is computed: test_metamorphic.c. */
#include <check.h>
#include <stdlib.h>

#include "support/backends.h"
#include "support/relation.h"

/* With masks and biases where the form has them, and half of them causal: the diagonal follows from lengths. */
static variant variant_of(int32_t index, int64_t number) {
    variant self = variant_at(index, number, FOVEA_INPUT_MASK | FOVEA_INPUT_BIAS);
    self.spec.causal = (number + number / 4 + index) % 2 == 0;
    return self;
}

/* The sequences of `at` give the same results if they are called as `how` says, which names all of them. */
static void check_same(const variant *at, const storage *how, double allowed) {
    problem *one = problem_create(&at->spec), *two = problem_create_blank(&at->spec, 0);
    stored_run(one, &at->how, one);
    stored_run(one, how, two);
    compare_rows(&(relation){one, two, how, allowed}, 0);
    destroy_both(one, two);
}

/* Pages too, with the block table that says where they are. */
START_TEST(sequences_pages_and_rows_may_lie_anywhere_to_the_bit) {
    FOR_VARIANTS(number) {
        const variant at = variant_of(_i, number);
        storage elsewhere = at.how;
        elsewhere.seed++;
        elsewhere.around++;
        check_same(&at, &elsewhere, 0);
    }
}
END_TEST

START_TEST(garbage_around_sequences_is_not_seen_to_the_bit) {
    FOR_VARIANTS(number) {
        variant at = variant_of(_i, number);
        storage amid_garbage = at.how;
        amid_garbage.room = 500;
        amid_garbage.around = 3;
        at.how.clean = true;
        check_same(&at, &amid_garbage, 0);
    }
}
END_TEST

START_TEST(sequences_of_a_batch_may_change_places_to_the_bit) {
    FOR_VARIANTS(number) {
        const variant at = variant_of(_i, number);
        storage turned = at.how;
        for (int64_t s = 0; s < at.how.count; s++) {
            turned.sequences[s] = at.how.sequences[(s + 1) % at.how.count];
        }
        check_same(&at, &turned, 0);
    }
}
END_TEST

/* Each sequence of a batch, in a call of its own. */
static void check_alone(const variant *at, fovea_form form_q, fovea_form form_kv) {
    problem *together = problem_create(&at->spec), *alone = problem_create_blank(&at->spec, 0);
    stored_run(together, &at->how, together);
    for (int64_t s = 0; s < at->how.count; s++) {
        storage one = at->how;
        one.form_q = form_q;
        one.form_kv = form_kv;
        one.count = 1;
        one.sequences[0] = at->how.sequences[s];
        stored_run(together, &one, alone);
    }
    compare_rows(&(relation){together, alone, &at->how, 0}, 0);
    destroy_both(together, alone);
}

START_TEST(a_batch_gives_the_bits_of_its_sequences_alone) {
    FOR_VARIANTS(number) {
        const variant at = variant_of(_i, number);
        check_alone(&at, at.how.form_q, at.how.form_kv);
    }
}
END_TEST

START_TEST(packed_sequences_give_the_bits_of_dense_calls) {
    FOR_VARIANTS(number) {
        const variant at = variant_of(_i, number);
        if (at.how.form_q == FOVEA_FORM_PACKED) {
            const fovea_form paged = FOVEA_FORM_PAGED, dense = FOVEA_FORM_DENSE;
            check_alone(&at, dense, at.how.form_kv == paged ? paged : dense);
        }
    }
}
END_TEST

/* Blocks and sums of a few rows follow from the size of pages, so that bits may differ. */
START_TEST(pages_of_any_size_give_the_results_of_other_sizes_and_of_dense_keys) {
    FOR_VARIANTS(number) {
        const variant at = variant_of(_i, number);
        if (at.how.form_kv != FOVEA_FORM_PAGED) {
            continue;
        }
        problem *paged = problem_create(&at.spec), *otherwise = problem_create_blank(&at.spec, 0);
        stored_run(paged, &at.how, paged);
        static const int64_t sizes[] = {0, 1, 7, 16, 33, 512};
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            storage how = at.how;
            how.page_size = sizes[i];
            how.form_kv = sizes[i] > 0 ? FOVEA_FORM_PAGED : FOVEA_FORM_DENSE;
            stored_run(paged, &how, otherwise);
            compare_rows(&(relation){paged, otherwise, &how, relation_tolerance(paged)}, 0);
        }
        destroy_both(paged, otherwise);
    }
}
END_TEST

Suite *metamorphic_forms_suite(void);

Suite *metamorphic_forms_suite(void) {
    Suite *suite = suite_create("metamorphic forms");
    TCase *tcase = tcase_create("relations");
    ADD_FOR_CASES(tcase, sequences_pages_and_rows_may_lie_anywhere_to_the_bit);
    ADD_FOR_CASES(tcase, garbage_around_sequences_is_not_seen_to_the_bit);
    ADD_FOR_CASES(tcase, sequences_of_a_batch_may_change_places_to_the_bit);
    ADD_FOR_CASES(tcase, a_batch_gives_the_bits_of_its_sequences_alone);
    ADD_FOR_CASES(tcase, packed_sequences_give_the_bits_of_dense_calls);
    ADD_FOR_CASES(tcase, pages_of_any_size_give_the_results_of_other_sizes_and_of_dense_keys);
    suite_add_tcase(suite, tcase);
    return suite;
}
