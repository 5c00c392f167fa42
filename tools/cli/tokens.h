/* Token labels from a text file: one line a batch entry, tokens separated by spaces. */
#ifndef FOVEA_CLI_TOKENS_H
#define FOVEA_CLI_TOKENS_H

#include <stdint.h>

#include "status.h"

typedef struct token_list {
    /* Tokens are zero-terminated pieces of it. */
    char *text;
    char **tokens;
    int64_t count;
} token_list;

/* Reads line `entry` of the file, which must be a regular one of a sensible size. Bytes that are no printable UTF-8
 * become '?'. */
cli_status tokens_load(const char *path, int64_t entry, token_list *list);

/* "0", "1", ... */
cli_status tokens_number(int64_t count, token_list *list);

void tokens_free(token_list *list);

#endif
