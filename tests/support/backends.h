/* The backends that this processor runs, each with both exponentials: what most suites loop over. FOVEA_TEST_BACKEND
 * leaves only the one that it names, for emulators that are there for one backend. */
#ifndef FOVEA_TESTS_BACKENDS_H
#define FOVEA_TESTS_BACKENDS_H

#include <check.h>
#include <stdbool.h>
#include <stdint.h>

#include "arch/kernel.h"
#include "fovea/attention.h"
#include "random.h"

typedef struct backend_case {
    const fv_backend *backend;
    fovea_exp exp;
    /* "avx2, fused". */
    char name[40];
} backend_case;

int32_t backend_count(void);
const fv_backend *backend_at(int32_t index);

/* Prints which backends were looped over; false if there was none, so that nothing was tested. */
bool backends_report(void);

/* The backend before this one, if it computes keys and values of a type by the same tables, but for pairs; or NULL. */
const fv_backend *backend_base_of(int32_t index, fovea_type type_kv);

/* Whether there is one for the backend of an instruction set. */
bool backend_has_base(fovea_isa isa, fovea_type type_kv);

/* Cases [0, backend_case_count()). */
int32_t backend_case_count(void);
backend_case backend_case_at(int32_t index);

/* Any cap that a call may name: none, or a backend of this build, which this processor may lack. */
fovea_isa backend_any_cap(test_random *random);

/* Adds a test that runs once a case, with the case's index in Check's `_i`; or once a backend. */
#define ADD_FOR_CASES(tcase, test) tcase_add_loop_test(tcase, test, 0, backend_case_count())
#define ADD_FOR_BACKENDS(tcase, test) tcase_add_loop_test(tcase, test, 0, backend_count())

#endif
