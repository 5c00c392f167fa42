#include "arguments.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

cli_status cli_fail_usage(const char *command, const char *format, ...) {
    char text[600];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return cli_fail(CLI_BAD_INPUT, "%s (try 'fovea %s --help')", text, command);
}

cli_status cli_parse_integer(const char *option, const char *text, int64_t low, int64_t high, int64_t *value) {
    char *end;
    errno = 0;
    long long parsed = strtoll(text, &end, 10);
    if (end == text || *end || errno || parsed < low || parsed > high)
        return cli_fail(CLI_BAD_INPUT, "%s: '%s' is not a whole number from %" PRId64 " to %" PRId64, option, text, low,
                        high);
    *value = parsed;
    return CLI_OK;
}

cli_status cli_parse_number(const char *option, const char *text, double *value) {
    char *end;
    *value = strtod(text, &end);
    if (end == text || *end || !isfinite(*value))
        return cli_fail(CLI_BAD_INPUT, "%s: '%s' is not a finite number", option, text);
    return CLI_OK;
}

cli_status cli_parse_tolerance(const char *option, const char *text, double *value) {
    cli_status status = cli_parse_number(option, text, value);
    if (status == CLI_OK && *value < 0)
        return cli_fail(CLI_BAD_INPUT, "%s: '%s' is negative", option, text);
    return status;
}

int32_t cli_find_word(const char *words, const char *text) {
    size_t length = strlen(text);
    for (int32_t index = 0; *words; index++) {
        size_t word = strcspn(words, "|");
        if (word == length && memcmp(words, text, length) == 0)
            return index;
        words += word + (words[word] == '|');
    }
    return -1;
}

static void print_help(const cli_command *command) {
    printf("Usage: fovea %s%s%s\n\n%s\n", command->name, *command->usage ? " " : "", command->usage, command->about);
    if (command->options->name)
        printf("\nOptions:\n");
    for (const cli_option *o = command->options; o->name; o++) {
        char left[64];
        snprintf(left, sizeof left, "%s%s%s%s%s%s%s", o->short_name ? o->short_name : "", o->short_name ? ", " : "",
                 o->name, o->value ? " " : "", o->words ? "[" : "", o->value ? o->value : "", o->words ? "]" : "");
        printf("  %-29s", left);
        /* Continuation lines of a help text are separated by newlines. */
        for (const char *line = o->help; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
            printf("%*s%.*s\n", line == o->help ? 1 : 32, "", (int)strcspn(line, "\n"), line);
    }
}

/* The line of the table that `argument` ("--name", "--name=value", "-o") names, or -1. */
static int32_t find_option(const cli_option *options, const char *argument) {
    size_t length = strncmp(argument, "--", 2) == 0 ? strcspn(argument, "=") : strlen(argument);
    for (int32_t i = 0; options[i].name; i++) {
        if (strlen(options[i].name) == length && memcmp(options[i].name, argument, length) == 0)
            return i;
        if (options[i].short_name && strcmp(options[i].short_name, argument) == 0)
            return i;
    }
    return -1;
}

/* Takes the option at argv[*at] and moves *at to its last argument. */
static cli_status take_option(const cli_command *command, int argc, char **argv, int *at, cli_take take, void *target) {
    const char *argument = argv[*at];
    int32_t index = find_option(command->options, argument);
    if (index < 0)
        return cli_fail_usage(command->name, "unknown option '%s'", argument);
    const cli_option *option = &command->options[index];
    const char *equals = strncmp(argument, "--", 2) == 0 ? strchr(argument, '=') : NULL;
    const char *value = equals ? equals + 1 : NULL;
    const char *next = *at + 1 < argc ? argv[*at + 1] : NULL;
    if (value && !option->value)
        return cli_fail_usage(command->name, "option '%s' takes no value", option->name);
    if (!value && option->value && next && (!option->words || cli_find_word(option->words, next) >= 0)) {
        value = next;
        (*at)++;
    }
    if (!value && option->value && !option->words)
        return cli_fail_usage(command->name, "option '%s' needs a value", option->name);
    if (value && option->words && cli_find_word(option->words, value) < 0)
        return cli_fail_usage(command->name, "option '%s' takes one of %s", option->name, option->words);
    return take(target, index, value);
}

cli_status cli_parse(const cli_command *command, int argc, char **argv, cli_take take, void *target,
                     const char **positional, int32_t *positionals, int *helped) {
    int options_end = 0;
    *positionals = 0;
    *helped = 0;
    for (int i = 1; i < argc; i++) {
        if (!options_end && strcmp(argv[i], "--") == 0) {
            options_end = 1;
        } else if (!options_end && (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)) {
            print_help(command);
            *helped = 1;
            return CLI_OK;
        } else if (!options_end && argv[i][0] == '-' && argv[i][1]) {
            cli_status status = take_option(command, argc, argv, &i, take, target);
            if (status != CLI_OK)
                return status;
        } else if (*positionals == command->max_positional) {
            return cli_fail_usage(command->name, "unexpected argument '%s'", argv[i]);
        } else {
            positional[(*positionals)++] = argv[i];
        }
    }
    return CLI_OK;
}
