#include "google.h"

#include "fovea/version.h"
#include "measure.h"
#include "shim.h"

/* More rounds than this add nothing to a median. */
enum { MAX_ROUNDS = 1024, REASON_SIZE = 256 };

/* Google Benchmark calls a case several times in a row, to find a number of iterations and to repeat it: it stays open
 * until the next one's turn. */
static bench_case *held;
static bench_setup held_setup;
static bench_round rounds[MAX_ROUNDS];

static void release(void) {
    if (held)
        held->type->close(held);
    held = NULL;
}

static int32_t hold(bench_case *item, char *reason, size_t reason_size) {
    if (held == item)
        return 1;
    release();
    if (item->type->open(item, reason, reason_size) != BENCH_OPENED)
        return 0;
    held = item;
    held_setup = bench_prepare(item);
    return 1;
}

static void report(shim_state *state, const bench_case *item, const bench_result *result) {
    shim_label(state, bench_unit(item->limit));
    shim_counter(state, "figure", result->figure.median);
    shim_counter(state, "q1", result->figure.lower);
    shim_counter(state, "q3", result->figure.upper);
    if (item->flops > 0.0)
        shim_counter(state, "GFLOP/s", item->flops / result->seconds / 1e9);
    if (item->bytes > 0.0)
        shim_counter(state, "GB/s", item->bytes / result->seconds / 1e9);
    if (result->share_fma > 0.0)
        shim_counter(state, "share_fma", result->share_fma);
    if (result->share_read > 0.0)
        shim_counter(state, "share_read", result->share_read);
}

/* An iteration is one run; a batch is one round's slice, between its probes. */
static void run_case(shim_state *state, void *context) {
    bench_case *item = context;
    char reason[REASON_SIZE];
    if (!hold(item, reason, sizeof reason)) {
        shim_skip(state, reason);
        return;
    }
    int32_t count = 0;
    while (shim_keep_running(state, held_setup.runs)) {
        const bench_round round = bench_measure_round(item, &held_setup);
        shim_batch_time(state, round.seconds * (double)held_setup.runs);
        if (count < MAX_ROUNDS)
            rounds[count++] = round;
    }
    if (count) {
        const bench_result result = bench_summarise(item, rounds, count);
        report(state, item, &result);
    }
}

int32_t bench_google(const bench_list *list, const bench_options *options, int argc, char **argv) {
    shim_context("fovea", fovea_version());
    shim_context("cpu", fovea_cpu_name());
    shim_context("pages", options->huge_pages ? "huge" : "4 KiB");
    for (int32_t i = 0; i < list->count; i++)
        shim_register(list->items[i].name, run_case, &list->items[i]);
    const int32_t status = shim_run(argc, argv);
    release();
    return status;
}
