#include "tokens.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "utf8.h"

static void clean(char *token) {
    for (; *token; token += utf8_step(token))
        if (!utf8_printable(token))
            *token = '?';
}

static cli_status split(token_list *list) {
    int64_t room = (int64_t)strlen(list->text) / 2 + 1;
    list->tokens = malloc((size_t)room * sizeof *list->tokens);
    if (!list->tokens)
        return cli_fail_memory();
    char *rest = NULL;
    for (char *t = strtok_r(list->text, " \t\r\n", &rest); t; t = strtok_r(NULL, " \t\r\n", &rest)) {
        clean(t);
        list->tokens[list->count++] = t;
    }
    return CLI_OK;
}

static cli_status read_line(FILE *file, const char *path, int64_t entry, token_list *list) {
    size_t room = 0;
    for (int64_t line = 0; line <= entry; line++) {
        if (getline(&list->text, &room, file) < 0) {
            if (ferror(file))
                return cli_fail(CLI_BAD_INPUT, "%s: %s", path, strerror(errno));
            return cli_fail(CLI_BAD_INPUT, "%s: no line for batch entry %" PRId64, path, entry);
        }
    }
    return split(list);
}

cli_status tokens_load(const char *path, int64_t entry, token_list *list) {
    memset(list, 0, sizeof *list);
    FILE *file = fopen(path, "re");
    if (!file)
        return cli_fail(CLI_BAD_INPUT, "%s: %s", path, strerror(errno));
    cli_status status = read_line(file, path, entry, list);
    fclose(file);
    return status;
}

cli_status tokens_number(int64_t count, token_list *list) {
    enum { WIDTH = 21 };
    memset(list, 0, sizeof *list);
    list->text = malloc((size_t)count * WIDTH + 1);
    list->tokens = malloc((size_t)count * sizeof *list->tokens + 1);
    if (!list->text || !list->tokens)
        return cli_fail_memory();
    for (int64_t i = 0; i < count; i++) {
        list->tokens[i] = list->text + i * WIDTH;
        snprintf(list->tokens[i], WIDTH, "%" PRId64, i);
    }
    list->count = count;
    return CLI_OK;
}

void tokens_free(token_list *list) {
    free(list->text);
    free(list->tokens);
    memset(list, 0, sizeof *list);
}
