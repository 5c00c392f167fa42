/* A target as a program: the fuzzer's driver has main. It takes Check's place, which reports to a parent that is not
 * there: a failed assertion ends the program with its message, as a sanitizer's finding does. */
#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "support/problem.h"
#include "targets.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    FUZZ_TARGET(bytes, size);
    return 0;
}

void _mark_point(const char *file, int line) {
    (void)file;
    (void)line;
}

void _ck_assert_failed(const char *file, int line, const char *expression, const char *message, ...) {
    fprintf(stderr, "%s:%d: %s\n", file, line, expression);
    if (message) {
        va_list arguments;
        va_start(arguments, message);
        vfprintf(stderr, message, arguments);
        va_end(arguments);
        fputc('\n', stderr);
    }
    abort();
}

/* Not every target has problems. */
#pragma weak problem_running

/* Called by the sanitizers at a finding: the problem whose call is running. */
void __asan_on_error(void);
void __ubsan_on_report(void);

void __asan_on_error(void) {
    if (problem_running) {
        fprintf(stderr, "%s\n", problem_running());
    }
}

void __ubsan_on_report(void) {
    __asan_on_error();
}
