/* Failures that name the problem. */
#include "problem_parts.h"

#include <check.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { DESCRIPTION_SIZE = 2000 };

typedef struct text {
    char chars[DESCRIPTION_SIZE];
    size_t length;
} text;

static void append(text *self, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void append(text *self, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    const int length = vsnprintf(self->chars + self->length, DESCRIPTION_SIZE - self->length, format, arguments);
    va_end(arguments);
    self->length += length > 0 ? (size_t)length : 0;
    if (self->length >= DESCRIPTION_SIZE) {
        self->length = DESCRIPTION_SIZE - 1;
    }
}

static text describe(const problem_spec *spec) {
    const problem_spec defaults = {PROBLEM_DEFAULTS};
    text self = {0};
    append(&self, "PROBLEM(.seed = 0x%llx", (unsigned long long)spec->seed);
#define INTEGER(name)                \
    if (spec->name != defaults.name) \
    append(&self, ", ." #name " = %lld", (long long)spec->name)
#define REAL_NUMBER(name)            \
    if (spec->name != defaults.name) \
    append(&self, ", ." #name " = %.9g", (double)spec->name)
    INTEGER(batch);
    INTEGER(heads_q);
    INTEGER(heads_kv);
    INTEGER(len_q);
    INTEGER(len_kv);
    INTEGER(head_dim);
    INTEGER(head_dim_v);
    INTEGER(spare_q);
    INTEGER(spare_kv);
    REAL_NUMBER(query_range);
    REAL_NUMBER(value_range);
    REAL_NUMBER(scale);
    INTEGER(has_scale);
    REAL_NUMBER(softcap);
    INTEGER(diagonal);
    INTEGER(query_offset);
    INTEGER(causal);
    INTEGER(has_window_left);
    INTEGER(has_window_right);
    INTEGER(window_left);
    INTEGER(window_right);
    INTEGER(type_index);
    INTEGER(form_q);
    INTEGER(form_kv);
    INTEGER(page_size);
    INTEGER(cut_alike);
    INTEGER(type_q);
    INTEGER(type_kv);
    INTEGER(type_out);
    INTEGER(type_bias);
    INTEGER(inputs);
    INTEGER(outputs);
    INTEGER(weights);
    REAL_NUMBER(mask_density);
    REAL_NUMBER(bias_forbids);
    INTEGER(mask_broadcast);
    INTEGER(bias_broadcast);
    INTEGER(mask_tile);
    INTEGER(bias_tile);
    REAL_NUMBER(slope_range);
    REAL_NUMBER(sink_range);
    INTEGER(slopes_shared);
    INTEGER(hostile);
    INTEGER(layout_q);
    INTEGER(layout_k);
    INTEGER(layout_v);
    INTEGER(layout_out);
    INTEGER(fused_qkv);
    INTEGER(side);
    INTEGER(form);
    INTEGER(isa);
    INTEGER(exp);
    INTEGER(arithmetic);
    INTEGER(threads);
    INTEGER(executor);
    INTEGER(concurrency);
    INTEGER(row_step);
    REAL_NUMBER(slack);
#undef INTEGER
#undef REAL_NUMBER
    append(&self, ")\n");
    return self;
}

void problem_fail(const problem *self, const char *format, ...) {
    char reason[400];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reason, sizeof reason, format, arguments);
    va_end(arguments);
    const text description = describe(&self->spec);
    ck_abort_msg("%s\n%s", reason, description.chars);
    abort(); /* not reached; ck_abort_msg is not declared noreturn everywhere */
}

/* The problem that is running, for the handler of a fault. */
static text running;
static struct sigaction previous_handler;

const char *problem_running(void) {
    return running.chars;
}

static void on_fault(int signal_number) {
    if (running.length > 0 && write(STDERR_FILENO, running.chars, running.length) < 0) {
        _exit(1);
    }
    /* Returning repeats the fault under whoever handled it before: Check, or a sanitizer. */
    sigaction(signal_number, &previous_handler, NULL);
}

static void watch_faults(void) {
    static bool watching;
    if (!watching) {
        struct sigaction action = {.sa_handler = on_fault};
        sigaction(SIGSEGV, &action, &previous_handler);
        watching = true;
    }
}

void problem_begin_call(const problem *self) {
    watch_faults();
    running = describe(&self->spec);
}

void problem_end_call(const problem *self) {
    running = (text){0};
    if (self->executor.nested) {
        problem_fail(self, "parallel_for was entered twice at the same time");
    }
    if (self->executor.environment_changed) {
        problem_fail(self, "a worker's floating-point modes were left changed");
    }
}
