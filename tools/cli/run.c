#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attention_map.h"
#include "clock.h"
#include "commands.h"
#include "heatmap_svg.h"
#include "heatmap_text.h"
#include "output.h"
#include "progress.h"
#include "report.h"

/* Work that may take a second on the slowest machine: only then is there a line to draw. */
static const double long_work = 1e9;

/* One run: what was asked, what it works on, and the files that it will make. */
typedef struct run {
    run_options options;
    run_problem problem;
    attention_map map;
    FILE *out, *lse, *weights, *svg;
    run_report report;
} run;

static bool wants_map(const run *r) {
    return r->options.heatmap || r->options.heatmap_svg;
}

/* Everything that can be wrong with what the user gave shows here, before the work. */
static cli_status prepare(run *r) {
    const run_options *o = &r->options;
    cli_status status = problem_load(o, &r->problem);
    if (status == CLI_OK && o->compare)
        status = compare_load(o->compare, "the result", &r->problem.out.header, &r->problem.reference);
    if (status == CLI_OK && wants_map(r))
        status = attention_map_prepare(o, &r->problem, &r->map);
    const struct {
        const char *path;
        FILE **file;
    } files[] = {{o->out, &r->out}, {o->lse, &r->lse}, {o->weights, &r->weights}, {o->heatmap_svg, &r->svg}};
    for (size_t i = 0; i < sizeof files / sizeof *files && status == CLI_OK; i++)
        if (files[i].path)
            status = output_open(files[i].path, files[i].file);
    return status;
}

static cli_status describe(const fovea_plan *plan) {
    size_t size = fovea_plan_describe(plan, NULL, 0) + 1;
    char *text = malloc(size);
    if (!text)
        return cli_fail_memory();
    fovea_plan_describe(plan, text, size);
    fprintf(stderr, "%s\n", text);
    free(text);
    return CLI_OK;
}

static fovea_status execute(run *r, const fovea_plan *plan, bool with_progress) {
    progress p;
    if (!with_progress)
        return fovea_execute(plan, &r->problem.args, NULL);
    progress_begin(&p, r->options.threads);
    fovea_status status = fovea_execute(plan, &r->problem.args, &p.executor);
    progress_end(&p);
    return status;
}

static cli_status compute(run *r) {
    fovea_attention_desc desc = r->problem.desc;
    r->report.flops = problem_flops(&r->problem);
    bool with_progress = !r->options.quiet && r->report.flops > long_work && isatty(STDERR_FILENO);
    if (with_progress)
        desc.threads = 0; /* progress_begin has the number. */
    fovea_plan *plan;
    fovea_status status = fovea_plan_create(&desc, &plan);
    if (status != FOVEA_OK)
        return cli_fail_library(status);
    cli_status said = r->options.verbose ? describe(plan) : CLI_OK;
    double start = clock_now();
    if (said == CLI_OK)
        status = execute(r, plan, with_progress);
    r->report.seconds = clock_now() - start;
    fovea_plan_destroy(plan);
    if (said != CLI_OK || status != FOVEA_OK)
        return said != CLI_OK ? said : cli_fail_library(status);
    return wants_map(r) ? attention_map_compute(&r->options, &r->problem, &r->map) : CLI_OK;
}

static cli_status write_array(FILE *file, const npy_array *array) {
    const npy_header *h = &array->header;
    return npy_write(file, h->type, h->rank, h->shape, array->data) ? CLI_OK : output_failed(file);
}

static cli_status write_results(run *r) {
    cli_status status = CLI_OK;
    if (r->out)
        status = write_array(r->out, &r->problem.out);
    if (status == CLI_OK && r->lse)
        status = write_array(r->lse, &r->problem.lse);
    if (status == CLI_OK && r->weights)
        status = write_array(r->weights, &r->problem.weights);
    if (status == CLI_OK && r->svg) {
        heatmap_svg(r->svg, &r->map);
        status = ferror(r->svg) ? output_failed(r->svg) : CLI_OK;
    }
    return status == CLI_OK ? output_commit_all() : status;
}

static cli_status report(run *r) {
    const run_options *o = &r->options;
    if (o->compare) {
        r->report.comparison =
            compare_arrays(r->problem.out.data, r->problem.reference.data, r->problem.out.header.count);
        r->report.equal = r->report.comparison.max <= o->tolerance;
    }
    if (o->json)
        report_json(o, &r->problem, &r->report);
    else if (!o->quiet)
        report_text(o, &r->problem, &r->report);
    if (o->heatmap)
        heatmap_text(stdout, &r->map);
    return o->compare && !r->report.equal ? CLI_DIFFERENT : CLI_OK;
}

cli_status command_run(int argc, char **argv) {
    static run r;
    int helped;
    cli_status status = run_options_parse(argc, argv, &r.options, &helped);
    if (status != CLI_OK || helped)
        return status;
    status = prepare(&r);
    if (status == CLI_OK)
        status = compute(&r);
    if (status == CLI_OK)
        status = write_results(&r);
    if (status == CLI_OK)
        status = report(&r);
    output_discard_all();
    attention_map_free(&r.map);
    problem_free(&r.problem);
    return status;
}
