/* fovea-bench: Google Benchmark by default, a table of figures and goals on request. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "case.h"
#include "goals.h"
#include "google.h"
#include "src/dispatch.h"
#include "table.h"

static const char usage[] =
    "usage: fovea-bench [--isa NAME] [--threads N] [--huge-pages] [flags of Google Benchmark]\n"
    "       fovea-bench --table [--rows REGEX] [--json FILE] [--isa NAME] [--threads N] [--huge-pages]\n"
    "       fovea-bench --smoke [--rows REGEX] [--isa NAME]\n"
    "\n"
    "Measures kernels and whole calls alternately with the limits of the machine.\n"
    "\n"
    "  --table        print figures with their goals: medians of ratios over several rounds\n"
    "  --smoke        run every case once, on small shapes\n"
    "  --rows REGEX   cases whose name matches (default with --table: ^call/; kernels: ^kernel/)\n"
    "  --json FILE    write the table's results for compare.py\n"
    "  --isa NAME     one backend only\n"
    "  --threads N    threads of the cases that do not name a number (default 1)\n"
    "  --huge-pages   ask for huge pages under the tensors instead of 4 KiB ones\n";

enum { MAX_THREADS = 1024 };

typedef struct command {
    bench_options options;
    table_request request;
    const char *isa;
    int32_t table;
    int32_t help;
} command;

static int32_t parse_threads(const char *text, int32_t *threads) {
    char *end = NULL;
    const long value = strtol(text, &end, 10);
    if (end == text || *end || value < 1 || value > MAX_THREADS) {
        fprintf(stderr, "fovea-bench: --threads takes a number from 1 to %d\n", MAX_THREADS);
        return 0;
    }
    *threads = (int32_t)value;
    return 1;
}

/* The value of option `name` at argv[*i], given as "name=value" or as the next argument; NULL if it is another option.
 */
static const char *option_value(int argc, char **argv, int *i, const char *name) {
    const size_t length = strlen(name);
    if (strncmp(argv[*i], name, length) != 0)
        return NULL;
    if (argv[*i][length] == '=')
        return argv[*i] + length + 1;
    if (argv[*i][length] != '\0' || *i + 1 >= argc)
        return NULL;
    return argv[++*i];
}

/* Takes fovea-bench's own options out of argv; what is left is Google Benchmark's. */
static int32_t parse(int *argc, char **argv, command *parsed) {
    int kept = 1;
    for (int i = 1; i < *argc; i++) {
        const char *value = NULL;
        if (strcmp(argv[i], "--table") == 0)
            parsed->table = 1;
        else if (strcmp(argv[i], "--smoke") == 0)
            parsed->options.smoke = 1;
        else if (strcmp(argv[i], "--huge-pages") == 0)
            parsed->options.huge_pages = 1;
        else if (strcmp(argv[i], "--help") == 0)
            parsed->help = 1;
        else if ((value = option_value(*argc, argv, &i, "--rows")))
            parsed->request.rows = value;
        else if ((value = option_value(*argc, argv, &i, "--json")))
            parsed->request.json = value;
        else if ((value = option_value(*argc, argv, &i, "--isa")))
            parsed->isa = value;
        else if ((value = option_value(*argc, argv, &i, "--threads"))) {
            if (!parse_threads(value, &parsed->options.threads))
                return 0;
        } else
            argv[kept++] = argv[i];
    }
    *argc = kept;
    argv[kept] = NULL;
    return 1;
}

/* Every case of every backend that this processor runs; `isa` NULL: of all of them. */
static int32_t fill_list(bench_list *list, const char *isa, const bench_options *options) {
    for (int32_t i = 0; fv_backend_at(i); i++) {
        const fv_backend *backend = fv_backend_at(i);
        if (!fv_backend_runs(backend) || (isa && strcmp(isa, backend->name) != 0))
            continue;
        bench_add_calls(list, backend, options);
        bench_add_row_calls(list, backend, options);
        bench_add_panel_kernels(list, backend, options);
        bench_add_row_kernels(list, backend, options);
    }
    if (list->count == 0)
        fprintf(stderr, "fovea-bench: --isa: this processor runs no backend %s\n", isa);
    return list->count > 0;
}

static int32_t run(const bench_list *list, command *parsed, int argc, char **argv) {
    const int32_t own = parsed->table || parsed->options.smoke;
    if (own && argc > 1) {
        fprintf(stderr, "fovea-bench: unknown option %s\n", argv[1]);
        return 2;
    }
    if (!own)
        return bench_google(list, &parsed->options, argc, argv);
    if (!bench_goals_check(list))
        return 1;
    if (parsed->options.smoke) {
        if (!parsed->request.rows)
            parsed->request.rows = "";
        return bench_smoke(list, &parsed->request);
    }
    if (!parsed->request.rows)
        parsed->request.rows = "^call/";
    return bench_table(list, &parsed->options, &parsed->request);
}

int main(int argc, char **argv) {
    command parsed = {.options = {.threads = 1}};
    if (!parse(&argc, argv, &parsed))
        return 2;
    if (parsed.help) {
        fputs(usage, stdout);
        return 0;
    }
    bench_list list = {0};
    const int32_t status = fill_list(&list, parsed.isa, &parsed.options) ? run(&list, &parsed, argc, argv) : 2;
    free(list.items);
    return status;
}
