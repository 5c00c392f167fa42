/* Calls that are refused, through the public API: each case takes a call that works, changes one thing, and names the
 * status and a part of the reason. On an error nothing is written to memory and nothing is printed. */
#ifndef FOVEA_TESTS_ERROR_CASE_H
#define FOVEA_TESTS_ERROR_CASE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "fovea/fovea.h"

enum { BATCH = 2, HEADS_Q = 4, HEADS_KV = 2, LEN_Q = 3, LEN_KV = 5, DIM = 8, DIM_V = 6, ROOM = 1024, TAIL = 16 };
enum { WORKSPACE_SIZE = 1 << 20, PARTS = 3 };

/* All memory that a call may read or write but for its workspace, so that one comparison shows a stray write. */
typedef struct error_memory {
    float q[ROOM];
    float k[ROOM];
    float v[ROOM];
    float out[ROOM];
    float bias[ROOM];
    float lse[ROOM];
    float weights[ROOM];
    int64_t wide_numbers[ROOM];
    int32_t numbers[ROOM];
    uint8_t mask[ROOM];
} error_memory;

typedef struct error_call {
    /* Followed by room for what a newer version may append. */
    struct {
        fovea_attention_desc now;
        unsigned char later[TAIL];
    } desc;
    struct {
        fovea_attention_args now;
        unsigned char later[TAIL];
    } args;
    const fovea_attention_desc *desc_pointer;
    const fovea_attention_args *args_pointer;
    fovea_executor executor;
    const fovea_executor *executor_pointer;
    fovea_allocator allocator;
    error_memory *m;
    void *workspace;
} error_call;

typedef struct error_case {
    const char *name;
    void (*change)(error_call *);
    fovea_status status;
    /* A part of the reason. */
    const char *reason;
} error_case;

error_memory *error_memory_create(void);
void error_set_strides(int64_t *strides, int64_t heads, int64_t length, int64_t row);

/* A fovea_executor's loop. */
void error_run_on_this_thread(void *context, int64_t tasks, fovea_task task, void *task_context);

/* A legal call without options. */
void error_call_prepare(error_call *c);
void error_call_dispose(error_call *c);

/* fovea_plan_create and fovea_execute; `planned`: what the first of them answers. */
fovea_status error_call_in_two(const error_call *c, fovea_status *planned);

/* Runs a case in one call and in two; `refused_by_plan`: the first of the two must be the one that fails. */
void error_case_run(const error_case *test, bool refused_by_plan);

/* Fails the test unless `function` answered the case's status and reason. */
void error_case_check(const error_case *test, const char *function, fovea_status status);

/* Standard output and error are caught while the library runs. */
typedef struct silence {
    FILE *caught;
    int saved[2];
} silence;

silence silence_begin(void);

/* Bytes that were printed. */
long silence_end(silence *s);

/* A change of a call. d, a and m are the descriptor, the arguments and the memory. */
#define CHANGE_OF(name, ...)                    \
    void name(error_call *c) {                  \
        fovea_attention_desc *d = &c->desc.now; \
        fovea_attention_args *a = &c->args.now; \
        error_memory *m = c->m;                 \
        (void)d;                                \
        (void)a;                                \
        (void)m;                                \
        __VA_ARGS__;                            \
    }
#define CHANGE(name, ...) static CHANGE_OF(name, __VA_ARGS__)

/* Options with their pointers, as legal calls have them. */
void with_mask(error_call *c);
void with_bias(error_call *c);
void with_lengths(error_call *c);
void with_first_keys(error_call *c);
void with_offsets(error_call *c);
void with_lse(error_call *c);
void with_weights(error_call *c);
void with_everything(error_call *c);
void with_largest_windows(error_call *c);

#define INVALID(change, reason) \
    { #change, change, FOVEA_INVALID, reason }
#define UNSUPPORTED(change, reason) \
    { #change, change, FOVEA_UNSUPPORTED, reason }
#define LEGAL(change) \
    { #change, change, FOVEA_OK, "" }

#endif
