/* fovea-count: runs one whole call for an emulator to count its instructions; tools/count starts it. */
#include <sleef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef __GLIBC__
#include <gnu/libc-version.h>
#define LIBC_VERSION gnu_get_libc_version()
#else
#define LIBC_VERSION "(another C library)"
#endif

#include "case.h"
#include "src/dispatch.h"

static const char usage[] = "usage: fovea-count --about\n"
                            "       fovea-count --list\n"
                            "       fovea-count BACKEND CASE RUNS\n"
                            "\n"
                            "  --about  what it is made of and stands on, as far as that decides about counts\n"
                            "  --list   names of cases\n"
                            "  BACKEND CASE RUNS\n"
                            "           call fovea_execute once, and RUNS times more; prints the useful multiply-adds\n"
                            "           of one call; the exit status is 3 if the processor does not run the backend\n";

enum { EXIT_USAGE = 2, EXIT_NOT_HERE = 3, REASON_SIZE = 256 };

static const bench_options options = {.threads = 1};

#ifdef __clang__
#define COMPILER "clang " __clang_version__
#else
#define COMPILER "gcc " __VERSION__
#endif

static int about(void) {
    printf("%s; glibc %s; SLEEF %d.%d.%d\n", COMPILER, LIBC_VERSION, SLEEF_VERSION_MAJOR, SLEEF_VERSION_MINOR,
           SLEEF_VERSION_PATCHLEVEL);
    return 0;
}

/* Without "call/BACKEND/": the same for every backend. */
static const char *case_name(const bench_case *item) {
    return item->name + strlen("call/") + strlen(item->backend->name) + 1;
}

static int list_cases(void) {
    bench_list list = {0};
    bench_add_calls(&list, fv_backend_at(0), &options);
    for (int32_t i = 0; i < list.count; i++)
        puts(case_name(&list.items[i]));
    free(list.items);
    return 0;
}

static const fv_backend *find_backend(const char *name) {
    for (int32_t i = 0; fv_backend_at(i); i++)
        if (strcmp(fv_backend_at(i)->name, name) == 0)
            return fv_backend_at(i);
    return NULL;
}

static bench_case *find_case(const bench_list *list, const char *name) {
    for (int32_t i = 0; i < list->count; i++)
        if (strcmp(case_name(&list->items[i]), name) == 0)
            return &list->items[i];
    return NULL;
}

static int run_case(bench_case *item, int64_t runs) {
    char reason[REASON_SIZE];
    /* Opening a case calls it once. */
    if (item->type->open(item, reason, sizeof reason) != BENCH_OPENED) {
        fprintf(stderr, "fovea-count: %s: %s\n", item->name, reason);
        return 1;
    }
    item->type->run(item, runs);
    printf("%.0f\n", item->flops / 2.0);
    item->type->close(item);
    return 0;
}

int main(int argc, char **argv) {
    if (argc == 2 && strcmp(argv[1], "--about") == 0)
        return about();
    if (argc == 2 && strcmp(argv[1], "--list") == 0)
        return list_cases();
    const fv_backend *backend = argc == 4 ? find_backend(argv[1]) : NULL;
    if (!backend) {
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
    if (!fv_backend_runs(backend)) {
        fprintf(stderr, "fovea-count: %s does not run on %s\n", backend->name, fovea_cpu_name());
        return EXIT_NOT_HERE;
    }
    bench_list list = {0};
    bench_add_calls(&list, backend, &options);
    bench_case *item = find_case(&list, argv[2]);
    if (!item)
        fprintf(stderr, "fovea-count: no case %s\n", argv[2]);
    const int status = item ? run_case(item, strtol(argv[3], NULL, 10)) : EXIT_USAGE;
    free(list.items);
    return status;
}
