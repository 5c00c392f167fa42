#include <omp.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "arguments.h"
#include "commands.h"
#include "fovea/fovea.h"
#include "json.h"

static const cli_option options[] = {{"--json", NULL, NULL, NULL, "report as one JSON object"}, {0}};

static const cli_command command = {
    .name = "info",
    .usage = "[--json]",
    .about = "Shows the processor, the backends of this build, and which one is used and why.",
    .options = options,
    .max_positional = 0,
};

static cli_status take(void *target, int32_t index, const char *value) {
    (void)index;
    (void)value;
    *(bool *)target = true;
    return CLI_OK;
}

static void print_text(void) {
    printf("fovea      %s\nprocessor  %s\nthreads    %d OpenMP threads on %ld processors\n\n", fovea_version(),
           fovea_cpu_name(), omp_get_max_threads(), sysconf(_SC_NPROCESSORS_ONLN));
    printf("%-12s %-9s %-9s %-7s %s\n", "backend", "built in", "detected", "used", "why");
    for (int32_t isa = 1; isa <= fovea_isa_count(); isa++) {
        fovea_isa_info i = {.struct_size = sizeof i};
        if (fovea_isa_query((fovea_isa)isa, &i) == FOVEA_OK)
            printf("%-12s %-9s %-9s %-7s %s\n", i.name, i.compiled ? "yes" : "no", i.detected ? "yes" : "no",
                   i.chosen ? "yes" : "no", i.reason);
    }
}

static void print_json(void) {
    printf("{\"version\": ");
    json_string(stdout, fovea_version());
    printf(", \"processor\": ");
    json_string(stdout, fovea_cpu_name());
    printf(", \"threads\": %d, \"backends\": [", omp_get_max_threads());
    for (int32_t isa = 1; isa <= fovea_isa_count(); isa++) {
        fovea_isa_info i = {.struct_size = sizeof i};
        if (fovea_isa_query((fovea_isa)isa, &i) != FOVEA_OK)
            continue;
        printf("%s{\"name\": ", isa > 1 ? ", " : "");
        json_string(stdout, i.name);
        printf(", \"compiled\": %s, \"detected\": %s, \"chosen\": %s, \"reason\": ", i.compiled ? "true" : "false",
               i.detected ? "true" : "false", i.chosen ? "true" : "false");
        json_string(stdout, i.reason);
        printf("}");
    }
    printf("]}\n");
}

cli_status command_info(int argc, char **argv) {
    bool json = false;
    int32_t count;
    int helped;
    cli_status status = cli_parse(&command, argc, argv, take, &json, NULL, &count, &helped);
    if (status != CLI_OK || helped)
        return status;
    (json ? print_json : print_text)();
    /* A wrong FOVEA_ISA would make every plan fail. */
    fovea_isa chosen;
    fovea_status problem = fovea_isa_chosen(&chosen);
    return problem == FOVEA_OK ? CLI_OK : cli_fail_library(problem);
}
