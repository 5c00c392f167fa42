#include <stdbool.h>
#include <stdio.h>

#include "arguments.h"
#include "commands.h"
#include "compare.h"
#include "inputs.h"

typedef struct compare_options {
    double tolerance;
    bool quiet;
} compare_options;

enum { TOLERANCE, QUIET };

static const cli_option options[] = {
    [TOLERANCE] = {"--tolerance", NULL, "X", NULL, "largest difference allowed (default 1e-5)"},
    [QUIET] = {"--quiet", "-q", NULL, NULL, "say nothing, only set the exit status"},
    {0},
};

static const cli_command command = {
    .name = "compare",
    .usage = "A.npy B.npy [OPTION]...",
    .about = "Compares two float32 files of the same shape. Exit status 1 if they differ by more than the tolerance.",
    .options = options,
    .max_positional = 2,
};

static cli_status take(void *target, int32_t index, const char *value) {
    compare_options *o = target;
    if (index == TOLERANCE)
        return cli_parse_tolerance(options[index].name, value, &o->tolerance);
    o->quiet = true;
    return CLI_OK;
}

cli_status command_compare(int argc, char **argv) {
    compare_options o = {.tolerance = 1e-5};
    const char *files[2];
    npy_array a, b;
    int32_t count;
    int helped;
    cli_status status = cli_parse(&command, argc, argv, take, &o, files, &count, &helped);
    if (status != CLI_OK || helped)
        return status;
    if (count != 2)
        return cli_fail_usage(command.name, "two files are needed");
    status = input_load(files[0], 1u << NPY_F32, &a);
    if (status != CLI_OK)
        return status;
    status = compare_load(files[1], files[0], &a.header, &b);
    if (status == CLI_OK) {
        const comparison c = compare_arrays(a.data, b.data, a.header.count);
        if (!o.quiet)
            compare_print(&c, files[0], &a, files[1], &b, o.tolerance);
        status = c.max <= o.tolerance ? CLI_OK : CLI_DIFFERENT;
        npy_free(&b);
    }
    npy_free(&a);
    return status;
}
