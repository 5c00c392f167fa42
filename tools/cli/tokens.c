#include "tokens.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "utf8.h"

/* Far more than the labels of any picture; a sparse file may claim any size. */
enum { MAX_BYTES = 64 << 20 };

/* Takes the line apart, which is a piece of list->text. */
static cli_status split(char *line, token_list *list) {
    list->tokens = malloc((strlen(line) / 2 + 1) * sizeof *list->tokens);
    if (!list->tokens)
        return cli_fail_memory();
    char *rest = NULL;
    for (char *t = strtok_r(line, " \t\r\n", &rest); t; t = strtok_r(NULL, " \t\r\n", &rest)) {
        utf8_clean(t);
        list->tokens[list->count++] = t;
    }
    return CLI_OK;
}

/* Finds line `entry` among `size` bytes of text. */
static cli_status split_line(const char *path, size_t size, int64_t entry, token_list *list) {
    char *line = list->text, *end = line + size;
    for (int64_t skipped = 0; skipped < entry && line < end; skipped++) {
        char *newline = memchr(line, '\n', (size_t)(end - line));
        line = newline ? newline + 1 : end;
    }
    if (line == end)
        return cli_fail(CLI_BAD_INPUT, "%s: no line for batch entry %" PRId64, path, entry);
    char *newline = memchr(line, '\n', (size_t)(end - line));
    *(newline ? newline : end) = '\0';
    return split(line, list);
}

/* What the file held when it was opened, with a zero after it. */
static cli_status read_text(FILE *file, const char *path, char **text, size_t *size) {
    struct stat about;
    if (fstat(fileno(file), &about) != 0)
        return cli_fail(CLI_BAD_INPUT, "%s: %s", path, strerror(errno));
    if (!S_ISREG(about.st_mode))
        return cli_fail(CLI_BAD_INPUT, "%s: not a regular file", path);
    if (about.st_size > MAX_BYTES)
        return cli_fail(CLI_BAD_INPUT, "%s: larger than %d bytes", path, (int)MAX_BYTES);
    *text = malloc((size_t)about.st_size + 1);
    if (!*text)
        return cli_fail_memory();
    *size = fread(*text, 1, (size_t)about.st_size, file);
    (*text)[*size] = '\0';
    return ferror(file) ? cli_fail(CLI_BAD_INPUT, "%s: %s", path, strerror(errno)) : CLI_OK;
}

cli_status tokens_load(const char *path, int64_t entry, token_list *list) {
    size_t size = 0;
    memset(list, 0, sizeof *list);
    /* Not blocking, so that a FIFO without a writer is refused and not waited for. */
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0)
        return cli_fail(CLI_BAD_INPUT, "%s: %s", path, strerror(errno));
    FILE *file = fdopen(descriptor, "r");
    if (!file) {
        close(descriptor);
        return cli_fail_memory();
    }
    cli_status status = read_text(file, path, &list->text, &size);
    fclose(file);
    return status == CLI_OK ? split_line(path, size, entry, list) : status;
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
