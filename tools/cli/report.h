/* What `fovea run` says about its result on stdout. */
#ifndef FOVEA_CLI_REPORT_H
#define FOVEA_CLI_REPORT_H

#include "compare.h"
#include "problem.h"

typedef struct run_report {
    double seconds, flops;
    /* Only if the options name a reference. */
    comparison comparison;
    bool equal;
} run_report;

/* One line a fact. */
void report_text(const run_options *options, const run_problem *problem, const run_report *report);

/* One object on one line. */
void report_json(const run_options *options, const run_problem *problem, const run_report *report);

#endif
