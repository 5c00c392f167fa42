#include "report.h"

#include "fovea/version.h"

#include "geometry.h"
#include "json.h"

void report_text(const run_options *options, const run_problem *problem, const run_report *report) {
    char shape[128];
    const npy_header *out = &problem->out.header;
    format_shape(shape, sizeof shape, out->rank, out->shape);
    printf("attention %s in %.3g ms", shape, report->seconds * 1e3);
    /* A shorter call is mostly the start of threads. */
    if (report->seconds >= 0.01)
        printf(", %.1f GFLOP/s", report->flops / report->seconds * 1e-9);
    printf("%s%s\n", options->out ? ", written to " : "", options->out ? options->out : "");
    if (options->compare)
        compare_print(&report->comparison, "the result", &problem->out, options->compare, &problem->reference,
                      options->tolerance);
}

void report_json(const run_options *options, const run_problem *problem, const run_report *report) {
    printf("{\"version\": ");
    json_string(stdout, fovea_version());
    printf(", \"shape\": ");
    json_integers(stdout, problem->out.header.shape, problem->out.header.rank);
    printf(", \"seconds\": ");
    json_number(stdout, report->seconds);
    printf(", \"gflops\": ");
    json_number(stdout, report->seconds > 0 ? report->flops / report->seconds * 1e-9 : 0);
    if (options->out) {
        printf(", \"output\": ");
        json_string(stdout, options->out);
    }
    if (options->compare) {
        printf(", \"reference\": ");
        json_string(stdout, options->compare);
        printf(", \"max_difference\": ");
        json_number(stdout, report->comparison.max);
        printf(", \"tolerance\": ");
        json_number(stdout, options->tolerance);
        printf(", \"equal\": %s", report->equal ? "true" : "false");
    }
    printf("}\n");
}
