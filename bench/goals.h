/* What the table holds figures against. */
#ifndef FOVEA_BENCH_GOALS_H
#define FOVEA_BENCH_GOALS_H

#include "case.h"

typedef struct bench_goal {
    /* In the unit of the case's figure; 0: none. */
    double goal;
    /* The least that is accepted; 0: none. */
    double floor;
} bench_goal;

bench_goal bench_goal_of(const bench_case *item);

/* Checks that every goal names a row of the list; else writes the first that does not to stderr and returns 0. */
int32_t bench_goals_check(const bench_list *list);

#endif
