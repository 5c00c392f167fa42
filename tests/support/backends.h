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

/* True if `extended` adds a pair family to the tables of `base`. */
bool backend_inherits(const fv_backend *extended, const fv_backend *base);

/* The same of the backend of an instruction set and one of lower rank. */
bool backend_has_base(fovea_isa isa);

/* Cases [0, backend_case_count()). */
int32_t backend_case_count(void);
backend_case backend_case_at(int32_t index);

/* Any cap that a call may name: none, or a backend of this build, which this processor may lack. */
fovea_isa backend_any_cap(test_random *random);

/* Adds a test that runs once a case, with the case's index in Check's `_i`; or once a backend. */
#define ADD_FOR_CASES(tcase, test) tcase_add_loop_test(tcase, test, 0, backend_case_count())
#define ADD_FOR_BACKENDS(tcase, test) tcase_add_loop_test(tcase, test, 0, backend_count())

#endif
