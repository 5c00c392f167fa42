#include "goals.h"

#include <stdio.h>
#include <string.h>

typedef struct goal_line {
    const char *row;
    const char *exp;
    double avx2_floor;
    double avx2;
    double avx512;
    double avx512vnni;
    double avx512bf16;
} goal_line;

static const goal_line lines[] = {
#define GOAL(row, exp, avx2_floor, avx2, avx512) {row, exp, avx2_floor, avx2, avx512, 0, 0},
#define GOAL_VNNI(row, avx512vnni) {row, "fused", 0, 0, 0, avx512vnni, 0},
#define GOAL_BF16(row, avx512bf16) {row, "fused", 0, 0, 0, 0, avx512bf16},
#include "goals.def"
#undef GOAL
#undef GOAL_VNNI
#undef GOAL_BF16
};

enum { LINES = sizeof lines / sizeof lines[0] };

static const char cold_suffix[] = "/cold";
static const double cold_allowance = 3.0;

/* Length of the row's name without /cold. */
static size_t warm_length(const char *row) {
    const size_t length = strlen(row);
    const size_t suffix = sizeof cold_suffix - 1;
    return length > suffix && strcmp(row + length - suffix, cold_suffix) == 0 ? length - suffix : length;
}

static int32_t names(const goal_line *line, const bench_case *item) {
    const size_t length = warm_length(bench_row(item));
    return strlen(line->row) == length && strncmp(line->row, bench_row(item), length) == 0 &&
           strcmp(line->exp, item->exp) == 0;
}

/* A row may have two lines: what one does not say, the other does. */
static void take(double said, double *goal) {
    if (said > 0)
        *goal = said;
}

static void apply(const goal_line *line, fovea_isa isa, bench_goal *goal) {
    if (isa == FOVEA_ISA_AVX2) {
        take(line->avx2_floor, &goal->floor);
        take(line->avx2, &goal->goal);
    } else if (isa == FOVEA_ISA_AVX512) {
        take(line->avx512, &goal->goal);
    } else if (isa == FOVEA_ISA_AVX512VNNI) {
        take(line->avx512, &goal->goal);
        take(line->avx512vnni, &goal->goal);
    } else if (isa == FOVEA_ISA_AVX512BF16 || isa == FOVEA_ISA_AMXBF16) {
        take(line->avx512bf16, &goal->goal);
    }
}

bench_goal bench_goal_of(const bench_case *item) {
    bench_goal found = {0};
    for (int32_t i = 0; i < LINES; i++)
        if (names(&lines[i], item))
            apply(&lines[i], item->backend->isa, &found);
    if (strlen(bench_row(item)) != warm_length(bench_row(item))) {
        found.goal = found.goal > cold_allowance ? found.goal - cold_allowance : 0.0;
        found.floor = found.floor > cold_allowance ? found.floor - cold_allowance : 0.0;
    }
    return found;
}

int32_t bench_goals_check(const bench_list *list) {
    for (int32_t i = 0; i < LINES; i++) {
        int32_t j = 0;
        while (j < list->count && !names(&lines[i], &list->items[j]))
            j++;
        if (j == list->count) {
            fprintf(stderr, "fovea-bench: a goal names no row: %s with %s\n", lines[i].row, lines[i].exp);
            return 0;
        }
    }
    return 1;
}
