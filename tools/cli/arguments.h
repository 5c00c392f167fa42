/* Command-line arguments by table: one line an option feeds the parser and the help text. */
#ifndef FOVEA_CLI_ARGUMENTS_H
#define FOVEA_CLI_ARGUMENTS_H

#include <stdint.h>

#include "status.h"

typedef struct cli_option {
    /* "--name"; NULL ends the table. */
    const char *name;
    /* "-o", or NULL. */
    const char *short_name;
    /* What the help calls the value; NULL: none. */
    const char *value;
    /* "a|b": the value may be left out, and is taken from the next argument only if it is one of these words. NULL: the
     * value is required. */
    const char *words;
    const char *help;
} cli_option;

typedef struct cli_command {
    const char *name;
    /* What follows the name in the usage line. */
    const char *usage;
    /* Paragraph under it. */
    const char *about;
    const cli_option *options;
    int32_t max_positional;
} cli_command;

/* Takes one option: `index` is its line in the table, `value` NULL where there is none. Prints what is wrong. */
typedef cli_status (*cli_take)(void *target, int32_t index, const char *value);

/* Parses argv[1 ...]. Positional arguments go to positional[0 ...], *positionals receives their number. --help prints
 * the help and sets *helped. */
cli_status cli_parse(const cli_command *command, int argc, char **argv, cli_take take, void *target,
                     const char **positional, int32_t *positionals, int *helped);

/* CLI_BAD_INPUT, with a pointer to the command's help. */
cli_status cli_fail_usage(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Whole numbers in [low, high], finite numbers, and finite numbers that are not negative; `option` is for the message.
 */
cli_status cli_parse_integer(const char *option, const char *text, int64_t low, int64_t high, int64_t *value);
cli_status cli_parse_number(const char *option, const char *text, double *value);
cli_status cli_parse_tolerance(const char *option, const char *text, double *value);

/* Position of `text` among the words of "a|b|c", or -1. */
int32_t cli_find_word(const char *words, const char *text);

#endif
