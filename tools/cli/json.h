#ifndef FOVEA_CLI_JSON_H
#define FOVEA_CLI_JSON_H

#include <stdint.h>
#include <stdio.h>

/* A JSON string with its quotes; bytes that are no UTF-8 become '?'. */
void json_string(FILE *file, const char *text);

/* A JSON number; null where it is not finite, for JSON has no word for that. */
void json_number(FILE *file, double number);

/* A JSON array of whole numbers. */
void json_integers(FILE *file, const int64_t *values, int32_t count);

#endif
