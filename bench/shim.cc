#include "shim.h"

#include <benchmark/benchmark.h>

static benchmark::State &state_of(shim_state *state) {
    return *reinterpret_cast<benchmark::State *>(state);
}

extern "C" {

void shim_register(const char *name, shim_function function, void *context) {
    benchmark::RegisterBenchmark(
        name,
        [function, context](benchmark::State &state) { function(reinterpret_cast<shim_state *>(&state), context); })
        ->UseManualTime()
        ->Unit(benchmark::kMicrosecond);
}

int32_t shim_keep_running(shim_state *state, int64_t iterations) {
    return state_of(state).KeepRunningBatch(iterations) ? 1 : 0;
}

void shim_batch_time(shim_state *state, double seconds) {
    state_of(state).SetIterationTime(seconds);
}

void shim_counter(shim_state *state, const char *name, double value) {
    state_of(state).counters[name] = value;
}

void shim_label(shim_state *state, const char *label) {
    state_of(state).SetLabel(label);
}

void shim_skip(shim_state *state, const char *reason) {
    state_of(state).SkipWithError(reason);
}

void shim_context(const char *key, const char *value) {
    benchmark::AddCustomContext(key, value);
}

int32_t shim_run(int argc, char **argv) {
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv))
        return 1;
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
    return 0;
}
}
