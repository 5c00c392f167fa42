/* Writing the results of a table as JSON. */
#ifndef FOVEA_BENCH_JSON_H
#define FOVEA_BENCH_JSON_H

#include <stdio.h>

#include "environment.h"
#include "goals.h"
#include "measure.h"

typedef struct json_writer {
    FILE *file;
    int32_t rows;
} json_writer;

/* Begins with the environment; 0 if the file cannot be written. */
int32_t json_begin(json_writer *writer, const char *path, const bench_environment *environment);

void json_result(json_writer *writer, const bench_case *item, const bench_result *result, const bench_goal *goal,
                 const char *verdict);

void json_skipped(json_writer *writer, const bench_case *item, const char *reason);

/* Ends and closes; 0 if anything could not be written. */
int32_t json_end(json_writer *writer);

#endif
