/* Google Benchmark for C: cases register themselves and iterate in batches that they time themselves. */
#ifndef FOVEA_BENCH_SHIM_H
#define FOVEA_BENCH_SHIM_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A running benchmark. */
typedef struct shim_state shim_state;

typedef void (*shim_function)(shim_state *state, void *context);

/* Registers a benchmark. `name` is copied; `context` must outlive shim_run. */
void shim_register(const char *name, shim_function function, void *context);

/* Non-zero while another batch of `iterations` iterations is wanted. */
int32_t shim_keep_running(shim_state *state, int64_t iterations);

/* Adds the seconds that the last batch took, all its iterations together. */
void shim_batch_time(shim_state *state, double seconds);

/* Sets a counter of the report, as it is. */
void shim_counter(shim_state *state, const char *name, double value);

/* Sets the text beside the report's line. */
void shim_label(shim_state *state, const char *label);

/* Reports that the benchmark cannot run and why. Return from the function after it. */
void shim_skip(shim_state *state, const char *reason);

/* Adds a line to the context at the head of the report. */
void shim_context(const char *key, const char *value);

/* Takes Google Benchmark's flags from the arguments and runs what they select. The exit status: 0, or 1 for an unknown
 * flag. */
int32_t shim_run(int argc, char **argv);

#ifdef __cplusplus
}
#endif
#endif
