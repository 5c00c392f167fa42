/* The runner: `fovea-tests [suite...]`; without arguments every suite. Check runs each test in a child of its own, and
 * a child cannot enter OpenMP if its parent did: nothing here may compute with the library. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends.h"
#include "random.h"

typedef struct suite_entry {
    const char *name;
    Suite *(*create)(void);
} suite_entry;

/* TEST_SUITES is a sequence of SUITE(name), from meson.build. */
#define SUITE(name) Suite *name##_suite(void);
TEST_SUITES
#undef SUITE

static const suite_entry suites[] = {
#define SUITE(name) {#name, name##_suite},
    TEST_SUITES
#undef SUITE
};

enum { SUITE_COUNT = sizeof suites / sizeof *suites };

static const suite_entry *find(const char *name) {
    for (int i = 0; i < SUITE_COUNT; i++) {
        if (strcmp(suites[i].name, name) == 0) {
            return &suites[i];
        }
    }
    return NULL;
}

static void add(SRunner **runner, Suite *suite) {
    if (*runner) {
        srunner_add_suite(*runner, suite);
    } else {
        *runner = srunner_create(suite);
    }
}

int main(int argc, char **argv) {
    /* Check's own default of 4 s is short for a loaded machine, a sanitizer or an emulator. */
    setenv("CK_DEFAULT_TIMEOUT", "300", 0);
    printf("FOVEA_TEST_SEED=%llu\n", (unsigned long long)test_seed());
    SRunner *runner = NULL;
    for (int i = 1; i < argc; i++) {
        const suite_entry *entry = find(argv[i]);
        if (!entry) {
            fprintf(stderr, "no suite %s\n", argv[i]);
            return 2;
        }
        add(&runner, entry->create());
    }
    for (int i = 0; argc == 1 && i < SUITE_COUNT; i++) {
        add(&runner, suites[i].create());
    }
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return backends_report() && !failed ? 0 : 1;
}
