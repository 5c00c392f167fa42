#include "table.h"

#include <regex.h>
#include <stdio.h>

#include "environment.h"
#include "goals.h"
#include "json.h"
#include "measure.h"

/* A row on a busy machine may take this many rounds to find enough undisturbed ones. */
enum { MAX_ROUNDS = 33, REASON_SIZE = 256 };

static int32_t compile(regex_t *pattern, const char *text) {
    const int error = regcomp(pattern, text, REG_EXTENDED | REG_NOSUB);
    if (error) {
        char message[128];
        regerror(error, pattern, message, sizeof message);
        fprintf(stderr, "fovea-bench: --rows: %s\n", message);
    }
    return error == 0;
}

static int32_t selected(const regex_t *pattern, const bench_case *item) {
    return regexec(pattern, item->name, 0, NULL, 0) == 0;
}

static void print_environment(const bench_environment *environment) {
    printf("fovea %s on %s, %s\n", environment->version, environment->cpu, environment->date);
    printf("%d thread%s, %s, load average %.1f\n", environment->threads, environment->threads == 1 ? "" : "s",
           environment->pages, environment->load);
    printf("read %.1f GB/s (%s)\n", environment->bandwidth / 1e9, environment->pattern);
}

/* The peak of each backend that the list holds; cases of one backend follow one another. */
static void print_peaks(const bench_list *list, const bench_options *options) {
    for (int32_t i = 0; i < list->count; i++) {
        const fv_backend *backend = list->items[i].backend;
        if (i == 0 || backend != list->items[i - 1].backend)
            printf("%s: %.1f GFLOP/s by %s multiply-adds\n", backend->name,
                   bench_environment_peak(backend, options) / 1e9, bench_probe_for(backend)->name);
    }
}

static const char *verdict_of(const bench_case *item, double figure, const bench_goal *goal) {
    if (goal->goal <= 0.0)
        return "";
    const double sign = bench_smaller_is_better(item->limit) ? -1.0 : 1.0;
    if (sign * figure >= sign * goal->goal)
        return "met";
    if (goal->floor > 0.0 && sign * figure >= sign * goal->floor)
        return "above the floor";
    return "falls short";
}

static void print_header(void) {
    printf("\n%-46s %-8s %-5s %9s %-6s  %-17s %8s %7s %6s %6s\n", "row", "backend", "exp", "figure", "", "quartiles",
           "GFLOP/s", "GB/s", "goal", "floor");
}

static void print_optional(double value, int32_t width, int32_t digits) {
    if (value > 0.0)
        printf(" %*.*f", width, digits, value);
    else
        printf(" %*s", width, "");
}

static void print_result(const bench_case *item, const bench_result *result, const bench_goal *goal,
                         const char *verdict) {
    char range[40];
    const int32_t digits = item->limit == BENCH_LIMIT_SPEEDUP || item->limit == BENCH_LIMIT_SLOTS ? 2 : 1;
    snprintf(range, sizeof range, "%.*f to %.*f", digits, result->figure.lower, digits, result->figure.upper);
    printf("%-46s %-8s %-5s %9.*f %-6s  %-17s", bench_row(item), item->backend->name, item->exp, digits,
           result->figure.median, bench_unit(item->limit), range);
    print_optional(item->flops / result->seconds / 1e9, 8, 1);
    print_optional(item->bytes / result->seconds / 1e9, 7, 1);
    print_optional(goal->goal, 6, goal->goal < 10.0 ? 2 : 0);
    print_optional(goal->floor, 6, goal->floor < 10.0 ? 2 : 0);
    printf("  %s%s\n", verdict, result->disturbed ? " (disturbed by other programs)" : "");
    fflush(stdout);
}

static bench_result measure(bench_case *item) {
    const bench_setup setup = bench_prepare(item);
    bench_round rounds[MAX_ROUNDS];
    int32_t count = 0;
    for (int32_t quiet = 0; quiet < setup.rounds && count < MAX_ROUNDS; count++) {
        rounds[count] = bench_measure_round(item, &setup);
        quiet += !rounds[count].disturbed;
    }
    return bench_summarise(item, rounds, count);
}

typedef struct tally {
    int32_t measured;
    int32_t unsupported;
    int32_t failed;
    int32_t goals;
    int32_t short_of_goal;
} tally;

static void table_row(bench_case *item, json_writer *json, tally *count) {
    char reason[REASON_SIZE];
    const bench_outcome outcome = item->type->open(item, reason, sizeof reason);
    if (outcome != BENCH_OPENED) {
        count->unsupported += outcome == BENCH_UNSUPPORTED;
        count->failed += outcome == BENCH_FAILED;
        printf("%-46s %-8s %-5s      %s: %s\n", bench_row(item), item->backend->name, item->exp,
               outcome == BENCH_UNSUPPORTED ? "unsupported" : "FAILED", reason);
        if (json)
            json_skipped(json, item, reason);
        return;
    }
    const bench_result result = measure(item);
    item->type->close(item);
    const bench_goal goal = bench_goal_of(item);
    const char *verdict = verdict_of(item, result.figure.median, &goal);
    print_result(item, &result, &goal, verdict);
    if (json)
        json_result(json, item, &result, &goal, verdict);
    count->measured++;
    count->goals += goal.goal > 0.0;
    count->short_of_goal += goal.goal > 0.0 && verdict[0] != 'm';
}

int32_t bench_table(const bench_list *list, const bench_options *options, const table_request *request) {
    regex_t pattern;
    if (!compile(&pattern, request->rows))
        return 2;
    const bench_environment environment = bench_environment_find(options);
    json_writer writer;
    json_writer *json = NULL;
    if (request->json) {
        if (!json_begin(&writer, request->json, &environment)) {
            perror(request->json);
            regfree(&pattern);
            return 2;
        }
        json = &writer;
    }
    print_environment(&environment);
    print_peaks(list, options);
    print_header();

    tally count = {0};
    for (int32_t i = 0; i < list->count; i++)
        if (selected(&pattern, &list->items[i]))
            table_row(&list->items[i], json, &count);
    printf("\n%d rows measured, %d unsupported, %d failed; %d of %d goals not met\n", count.measured, count.unsupported,
           count.failed, count.short_of_goal, count.goals);
    regfree(&pattern);
    if (json && !json_end(json)) {
        perror(request->json);
        return 1;
    }
    return count.failed > 0;
}

int32_t bench_smoke(const bench_list *list, const table_request *request) {
    regex_t pattern;
    if (!compile(&pattern, request->rows))
        return 2;
    tally count = {0};
    for (int32_t i = 0; i < list->count; i++) {
        bench_case *item = &list->items[i];
        if (!selected(&pattern, item))
            continue;
        char reason[REASON_SIZE];
        const bench_outcome outcome = item->type->open(item, reason, sizeof reason);
        if (outcome == BENCH_OPENED) {
            (void)measure(item);
            item->type->close(item);
            count.measured++;
        } else if (outcome == BENCH_UNSUPPORTED) {
            count.unsupported++;
        } else {
            count.failed++;
            printf("%s: %s\n", item->name, reason);
        }
    }
    printf("%d benchmarks ran, %d unsupported, %d failed\n", count.measured, count.unsupported, count.failed);
    regfree(&pattern);
    return count.failed > 0;
}
