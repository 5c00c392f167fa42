#include "error_case.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "allocators.h"

void error_set_strides(int64_t *strides, int64_t heads, int64_t length, int64_t row) {
    strides[3] = 1;
    strides[2] = row;
    strides[1] = length * row;
    strides[0] = heads * length * row;
}

void error_run_on_this_thread(void *context, int64_t tasks, fovea_task task, void *task_context) {
    (void)context;
    for (int64_t i = 0; i < tasks; i++)
        task(task_context, i, 0);
}

error_memory *error_memory_create(void) {
    error_memory *m = calloc(1, sizeof *m);
    ck_assert_ptr_nonnull(m);
    for (int i = 0; i < ROOM; i++) {
        m->q[i] = (float)(i % 7) - 3;
        m->k[i] = (float)(i % 5) - 2;
        m->v[i] = (float)(i % 11);
        m->mask[i] = 1;
    }
    memset(m->out, 0xa5, sizeof m->out);
    memset(m->lse, 0xa5, sizeof m->lse);
    memset(m->weights, 0xa5, sizeof m->weights);
    return m;
}

void error_call_prepare(error_call *c) {
    memset(c, 0, sizeof *c);
    c->m = error_memory_create();
    c->workspace = malloc(WORKSPACE_SIZE);
    ck_assert_ptr_nonnull(c->workspace);
    c->desc.now = (fovea_attention_desc){
        .struct_size = sizeof(fovea_attention_desc),
        .batch = BATCH,
        .heads_q = HEADS_Q,
        .heads_kv = HEADS_KV,
        .len_q = LEN_Q,
        .len_kv = LEN_KV,
        .head_dim = DIM,
        .head_dim_v = DIM_V,
        .threads = 1,
    };
    fovea_attention_args *a = &c->args.now;
    *a = (fovea_attention_args){
        .struct_size = sizeof(fovea_attention_args),
        .len_q = LEN_Q,
        .len_kv = LEN_KV,
        .q = c->m->q,
        .k = c->m->k,
        .v = c->m->v,
        .out = c->m->out,
    };
    error_set_strides(a->q_strides, HEADS_Q, LEN_Q, DIM);
    error_set_strides(a->k_strides, HEADS_KV, LEN_KV, DIM);
    error_set_strides(a->v_strides, HEADS_KV, LEN_KV, DIM_V);
    error_set_strides(a->out_strides, HEADS_Q, LEN_Q, DIM_V);
    error_set_strides(a->mask_strides, HEADS_Q, LEN_Q, LEN_KV);
    error_set_strides(a->bias_strides, HEADS_Q, LEN_Q, LEN_KV);
    error_set_strides(a->weights_strides, HEADS_Q, LEN_Q, LEN_KV);
    a->lse_strides[2] = 1;
    a->lse_strides[1] = LEN_Q;
    a->lse_strides[0] = HEADS_Q * LEN_Q;
    c->desc_pointer = &c->desc.now;
    c->args_pointer = &c->args.now;
    c->executor = (fovea_executor){
        .struct_size = sizeof(fovea_executor), .parallel_for = error_run_on_this_thread, .concurrency = 1};
    c->allocator = allocator_without_memory();
}

void error_call_dispose(error_call *c) {
    free(c->m);
    free(c->workspace);
}

CHANGE_OF(with_mask, d->inputs |= FOVEA_INPUT_MASK; a->mask = m->mask)
CHANGE_OF(with_bias, d->inputs |= FOVEA_INPUT_BIAS; a->bias = m->bias)
CHANGE_OF(with_lengths, d->inputs |= FOVEA_INPUT_KEY_LENGTHS; a->key_lengths = m->numbers)
CHANGE_OF(with_first_keys, d->inputs |= FOVEA_INPUT_FIRST_KEYS; a->first_keys = m->numbers)
CHANGE_OF(with_offsets, d->diagonal = FOVEA_DIAGONAL_OFFSETS; a->query_offsets = m->numbers)
CHANGE_OF(with_lse, d->outputs |= FOVEA_OUTPUT_LSE; a->lse = m->lse)
CHANGE_OF(with_weights, d->weights = FOVEA_WEIGHTS_PROBABILITIES; a->weights = m->weights)
CHANGE_OF(with_everything, with_mask(c); with_bias(c); with_lengths(c); with_first_keys(c); with_offsets(c);
          with_lse(c); with_weights(c))
CHANGE_OF(with_largest_windows, d->has_window_left = 1; d->window_left = INT64_MAX; d->has_window_right = 1;
          d->window_right = INT64_MAX)

silence silence_begin(void) {
    silence s = {.caught = tmpfile()};
    ck_assert_ptr_nonnull(s.caught);
    fflush(stdout);
    fflush(stderr);
    for (int i = 0; i < 2; i++) {
        s.saved[i] = dup(STDOUT_FILENO + i);
        dup2(fileno(s.caught), STDOUT_FILENO + i);
    }
    return s;
}

long silence_end(silence *s) {
    fflush(stdout);
    fflush(stderr);
    const long printed = (long)lseek(fileno(s->caught), 0, SEEK_END);
    for (int i = 0; i < 2; i++) {
        dup2(s->saved[i], STDOUT_FILENO + i);
        close(s->saved[i]);
    }
    fclose(s->caught);
    return printed;
}

void error_case_check(const error_case *test, const char *function, fovea_status status) {
    ck_assert_msg(status == test->status, "%s: %s answers \"%s\" (%s), not \"%s\"", test->name, function,
                  fovea_status_string(status), fovea_last_reason(), fovea_status_string(test->status));
    if (status == FOVEA_OK)
        return;
    const char *reason = fovea_last_reason();
    ck_assert_msg(strstr(reason, test->reason) != NULL, "%s: %s says \"%s\", without \"%s\"", test->name, function,
                  reason, test->reason);
    ck_assert_msg(strchr(reason, '\n') == NULL, "%s: %s says more than a line", test->name, function);
}

fovea_status error_call_in_two(const error_call *c, fovea_status *planned) {
    fovea_plan *plan = (fovea_plan *)(uintptr_t)1;
    *planned = fovea_plan_create(c->desc_pointer, &plan);
    ck_assert_msg((*planned == FOVEA_OK) == (plan != NULL), "a failing fovea_plan_create leaves no plan");
    if (*planned != FOVEA_OK)
        return *planned;
    const fovea_status status = fovea_execute(plan, c->args_pointer, c->executor_pointer);
    fovea_plan_destroy(plan);
    return status;
}

void error_case_run(const error_case *test, bool refused_by_plan) {
    error_call c;
    error_call_prepare(&c);
    test->change(&c);
    static error_memory before;
    before = *c.m;

    silence s = silence_begin();
    const fovea_status at_once = fovea_attention(c.desc_pointer, c.args_pointer, c.executor_pointer);
    long printed = silence_end(&s);
    error_case_check(test, "fovea_attention", at_once);
    if (test->status != FOVEA_OK)
        ck_assert_msg(memcmp(&before, c.m, sizeof before) == 0, "%s: memory was written to", test->name);

    s = silence_begin();
    fovea_status planned;
    const fovea_status in_two = error_call_in_two(&c, &planned);
    printed += silence_end(&s);
    error_case_check(test, planned == FOVEA_OK ? "fovea_execute" : "fovea_plan_create", in_two);
    ck_assert_msg((planned != FOVEA_OK) == refused_by_plan, "%s: fovea_plan_create answers \"%s\"", test->name,
                  fovea_status_string(planned));
    if (test->status != FOVEA_OK)
        ck_assert_msg(memcmp(&before, c.m, sizeof before) == 0, "%s: memory was written to", test->name);
    ck_assert_msg(printed == 0, "%s: something was printed", test->name);
    error_call_dispose(&c);
}
