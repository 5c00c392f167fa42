/* The front end that prints a table of figures, goals and verdicts. */
#ifndef FOVEA_BENCH_TABLE_H
#define FOVEA_BENCH_TABLE_H

#include "case.h"

typedef struct table_request {
    /* Extended regular expression that a case's name must contain. */
    const char *rows;
    /* File for the results, or NULL. */
    const char *json;
} table_request;

/* Measures every case that the request selects and prints it. The exit status: 0, 1 if a case failed (not: fell short),
 * 2 if the request is wrong. */
int32_t bench_table(const bench_list *list, const bench_options *options, const table_request *request);

/* Runs every selected case once and prints only what fails, and a count. */
int32_t bench_smoke(const bench_list *list, const table_request *request);

#endif
