/* What merging is refused for. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "support/error_case.h"

Suite *merge_errors_suite(void);

typedef struct merge_call {
    fovea_merge_args args;
    fovea_executor executor;
    const fovea_executor *executor_pointer;
    const fovea_merge_args *args_pointer;
    const float *part_out[PARTS];
    const float *part_lse[PARTS];
    error_memory *m;
} merge_call;

enum { MERGE_ROWS = BATCH * HEADS_Q * LEN_Q };

static void prepare_merge(merge_call *c) {
    memset(c, 0, sizeof *c);
    c->m = error_memory_create();
    for (int i = 0; i < PARTS; i++) {
        c->part_out[i] = c->m->q + i * MERGE_ROWS * DIM_V;
        c->part_lse[i] = c->m->k + i * MERGE_ROWS;
    }
    c->args = (fovea_merge_args){
        .struct_size = sizeof(fovea_merge_args),
        .parts = PARTS,
        .batch = BATCH,
        .heads = HEADS_Q,
        .len = LEN_Q,
        .head_dim_v = DIM_V,
        .part_out = c->part_out,
        .part_lse = c->part_lse,
        .out = c->m->out,
        .lse = c->m->lse,
        .threads = 1,
    };
    error_set_strides(c->args.part_out_strides, HEADS_Q, LEN_Q, DIM_V);
    error_set_strides(c->args.out_strides, HEADS_Q, LEN_Q, DIM_V);
    const int64_t rows[] = {HEADS_Q * LEN_Q, LEN_Q, 1};
    memcpy(c->args.part_lse_strides, rows, sizeof rows);
    memcpy(c->args.lse_strides, rows, sizeof rows);
    c->executor = (fovea_executor){
        .struct_size = sizeof(fovea_executor), .parallel_for = error_run_on_this_thread, .concurrency = 1};
    c->args_pointer = &c->args;
}

#define MERGE_CHANGE(name, ...)         \
    static void name(merge_call *c) {   \
        fovea_merge_args *a = &c->args; \
        (void)a;                        \
        __VA_ARGS__;                    \
    }

MERGE_CHANGE(merge_nothing, (void)c)
MERGE_CHANGE(merge_args_null, c->args_pointer = NULL)
MERGE_CHANGE(merge_small, a->struct_size = 16)
MERGE_CHANGE(merge_no_parts, a->parts = 0)
MERGE_CHANGE(merge_batch_negative, a->batch = -1)
MERGE_CHANGE(merge_heads_negative, a->heads = -1)
MERGE_CHANGE(merge_len_negative, a->len = -1)
MERGE_CHANGE(merge_head_dim_v_negative, a->head_dim_v = -1)
MERGE_CHANGE(merge_threads_negative, a->threads = -1)
MERGE_CHANGE(merge_bytes_overflow, a->len = INT64_MAX / 8)
MERGE_CHANGE(merge_parts_overflow, a->parts = INT64_MAX)
MERGE_CHANGE(merge_part_out_null, a->part_out = NULL)
MERGE_CHANGE(merge_part_lse_null, a->part_lse = NULL)
MERGE_CHANGE(merge_one_part_null, c->part_out[2] = NULL)
MERGE_CHANGE(merge_one_lse_null, c->part_lse[1] = NULL)
MERGE_CHANGE(merge_out_null, a->out = NULL)
MERGE_CHANGE(merge_part_misaligned, c->part_lse[1] = (const float *)(const void *)((const char *)c->m->k + 2))
MERGE_CHANGE(merge_part_gapped, a->part_out_strides[3] = 2)
MERGE_CHANGE(merge_out_gapped, a->out_strides[3] = 3)
MERGE_CHANGE(merge_out_rows_zero, a->out_strides[2] = 0)
MERGE_CHANGE(merge_lse_heads_zero, a->lse_strides[1] = 0)
MERGE_CHANGE(merge_out_overlaps_itself, a->out_strides[2] = 1)
MERGE_CHANGE(merge_stride_overflow, a->part_lse_strides[0] = INT64_MIN)
MERGE_CHANGE(merge_in_place, c->part_out[1] = c->m->out)
MERGE_CHANGE(merge_lse_in_place, c->part_lse[2] = c->m->lse + 1)
MERGE_CHANGE(merge_out_in_lse, a->lse = c->m->out)
MERGE_CHANGE(merge_out_in_list, a->out = (float *)(void *)c->part_out)
MERGE_CHANGE(merge_executor_bad, c->executor_pointer = &c->executor; c->executor.concurrency = -3)
MERGE_CHANGE(merge_no_lse, a->lse = NULL)
MERGE_CHANGE(merge_shared_part, c->part_out[1] = c->part_out[0])
MERGE_CHANGE(merge_empty, a->len = 0; a->out = NULL; a->part_out = NULL; a->part_lse = NULL)
MERGE_CHANGE(merge_no_values, a->head_dim_v = 0; a->out = NULL; a->part_out = NULL)

#define MERGE_INVALID(change, reason) \
    { {#change, NULL, FOVEA_INVALID, reason}, change }
#define MERGE_LEGAL(change) \
    { {#change, NULL, FOVEA_OK, ""}, change }

static const struct {
    error_case expected;
    void (*change)(merge_call *);
} merge_cases[] = {
    MERGE_INVALID(merge_args_null, "args is NULL"),
    MERGE_INVALID(merge_small, "args.struct_size"),
    MERGE_INVALID(merge_no_parts, "parts (0)"),
    MERGE_INVALID(merge_batch_negative, "batch (-1)"),
    MERGE_INVALID(merge_heads_negative, "heads (-1)"),
    MERGE_INVALID(merge_len_negative, "len (-1)"),
    MERGE_INVALID(merge_head_dim_v_negative, "head_dim_v (-1)"),
    MERGE_INVALID(merge_threads_negative, "threads (-1)"),
    MERGE_INVALID(merge_bytes_overflow, "overflows"),
    MERGE_INVALID(merge_parts_overflow, "parts"),
    MERGE_INVALID(merge_part_out_null, "part_out is NULL"),
    MERGE_INVALID(merge_part_lse_null, "part_lse is NULL"),
    MERGE_INVALID(merge_one_part_null, "part 2: part_out is NULL"),
    MERGE_INVALID(merge_one_lse_null, "part 1: part_lse is NULL"),
    MERGE_INVALID(merge_out_null, "out is NULL"),
    MERGE_INVALID(merge_part_misaligned, "part 1: part_lse is not aligned"),
    MERGE_INVALID(merge_part_gapped, "part_out_strides[3] (2)"),
    MERGE_INVALID(merge_out_gapped, "out_strides[3] (3)"),
    MERGE_INVALID(merge_out_rows_zero, "out_strides[2] is 0"),
    MERGE_INVALID(merge_lse_heads_zero, "lse_strides[1] is 0"),
    MERGE_INVALID(merge_out_overlaps_itself, "out overlaps itself"),
    MERGE_INVALID(merge_stride_overflow, "part_lse: its strides"),
    MERGE_INVALID(merge_in_place, "part 1: out overlaps part_out"),
    MERGE_INVALID(merge_lse_in_place, "part 2: lse overlaps part_lse"),
    MERGE_INVALID(merge_out_in_lse, "lse overlaps out"),
    MERGE_INVALID(merge_out_in_list, "out overlaps part_out"),
    MERGE_INVALID(merge_executor_bad, "executor.concurrency (-3)"),
    MERGE_LEGAL(merge_nothing),
    MERGE_LEGAL(merge_no_lse),
    MERGE_LEGAL(merge_shared_part),
    MERGE_LEGAL(merge_empty),
    MERGE_LEGAL(merge_no_values),
};

START_TEST(merges_are_refused) {
    for (size_t i = 0; i < sizeof merge_cases / sizeof merge_cases[0]; i++) {
        const error_case *test = &merge_cases[i].expected;
        merge_call c;
        prepare_merge(&c);
        merge_cases[i].change(&c);
        static error_memory before;
        before = *c.m;
        silence s = silence_begin();
        const fovea_status status = fovea_merge(c.args_pointer, c.executor_pointer);
        const long printed = silence_end(&s);
        error_case_check(test, "fovea_merge", status);
        if (status != FOVEA_OK)
            ck_assert_msg(memcmp(&before, c.m, sizeof before) == 0, "%s: memory was written to", test->name);
        ck_assert_msg(printed == 0, "%s: something was printed", test->name);
        free(c.m);
    }
}
END_TEST

Suite *merge_errors_suite(void) {
    Suite *suite = suite_create("merge_errors");
    TCase *cases = tcase_create("errors");
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, merges_are_refused);
    suite_add_tcase(suite, cases);
    return suite;
}
