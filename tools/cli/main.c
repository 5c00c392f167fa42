/* fovea: attention of .npy files on the command line. */
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "fovea/version.h"

static const struct {
    const char *name;
    cli_status (*call)(int argc, char **argv);
    const char *help;
} commands[] = {
    {"run", command_run, "compute attention of .npy files"},
    {"compare", command_compare, "compare two .npy files"},
    {"info", command_info, "show the processor and the backends"},
    {"bench", command_bench, "measure a few shapes on this machine"},
};

static void print_help(FILE *file) {
    fprintf(file, "Usage: fovea COMMAND [ARGUMENT]...\n\nComputes softmax(Q K^T) V on CPUs.\n\nCommands:\n");
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        fprintf(file, "  %-8s %s\n", commands[i].name, commands[i].help);
    fprintf(file, "\n'fovea COMMAND --help' explains a command; 'fovea --version' prints the version.\n"
                  "Exit status: 0 done, 1 differs from the reference, 2 wrong usage or input, 3 failed.\n");
}

static cli_status call(int argc, char **argv) {
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        print_help(stdout);
        return CLI_OK;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("fovea %s\n", fovea_version());
        return CLI_OK;
    }
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].call(argc - 1, argv + 1);
    return cli_fail(CLI_BAD_INPUT, "unknown command '%s' (try 'fovea --help')", argv[1]);
}

int main(int argc, char **argv) {
    /* Characters only: numbers keep their point. */
    setlocale(LC_CTYPE, "");
    if (argc < 2) {
        print_help(stderr);
        return CLI_BAD_INPUT;
    }
    cli_status status = call(argc, argv);
    /* A report that did not arrive is no success. */
    if ((fflush(stdout) != 0 || ferror(stdout)) && status == CLI_OK)
        status = cli_fail(CLI_FAILED, "cannot write to standard output: %s", strerror(errno));
    return (int)status;
}
