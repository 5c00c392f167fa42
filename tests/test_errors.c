/* Statuses and reasons, and what is refused before a descriptor or arguments are looked at. */
#include <check.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "support/error_case.h"

Suite *errors_suite(void);

CHANGE(memory_refused, d->allocator = &c->allocator)

/* The plan itself needs memory; one call in one piece needs it for scratch alone. */
START_TEST(refused_memory_is_reported) {
    error_call c;
    error_call_prepare(&c);
    memory_refused(&c);
    static error_memory before;
    before = *c.m;
    const error_case out_of_memory = {"memory_refused", memory_refused, FOVEA_OUT_OF_MEMORY, "memory"};
    fovea_status planned;
    error_case_check(&out_of_memory, "fovea_attention",
                     fovea_attention(c.desc_pointer, c.args_pointer, c.executor_pointer));
    error_case_check(&out_of_memory, "fovea_plan_create", error_call_in_two(&c, &planned));
    ck_assert_msg(memcmp(&before, c.m, sizeof before) == 0, "memory was written to");
    /* A workspace makes it unnecessary. */
    c.args.now.workspace = c.workspace;
    c.args.now.workspace_size = WORKSPACE_SIZE;
    ck_assert_int_eq(fovea_attention(c.desc_pointer, c.args_pointer, c.executor_pointer), FOVEA_OK);
    error_call_dispose(&c);
}
END_TEST

START_TEST(missing_plans_are_refused) {
    error_call c;
    error_call_prepare(&c);
    ck_assert_int_eq(fovea_plan_create(c.desc_pointer, NULL), FOVEA_INVALID);
    ck_assert_ptr_nonnull(strstr(fovea_last_reason(), "plan"));
    ck_assert_int_eq(fovea_execute(NULL, c.args_pointer, NULL), FOVEA_INVALID);
    ck_assert_ptr_nonnull(strstr(fovea_last_reason(), "plan"));
    fovea_plan_destroy(NULL);
    ck_assert_uint_eq(fovea_plan_workspace_size(NULL, 1), 0);
    fovea_plan *plan;
    ck_assert_int_eq(fovea_plan_create(c.desc_pointer, &plan), FOVEA_OK);
    ck_assert_uint_eq(fovea_plan_workspace_size(plan, 0), 0);
    ck_assert_uint_eq(fovea_plan_workspace_size(plan, -1), 0);
    /* One byte less than a worker needs, wherever the workspace begins. */
    const size_t needed = fovea_plan_workspace_size(plan, 1);
    ck_assert_uint_le(needed, WORKSPACE_SIZE - 64);
    c.args.now.workspace = (char *)c.workspace + 1;
    c.args.now.workspace_size = needed;
    ck_assert_int_eq(fovea_execute(plan, c.args_pointer, NULL), FOVEA_OK);
    c.args.now.workspace_size = needed - 64;
    ck_assert_int_eq(fovea_execute(plan, c.args_pointer, NULL), FOVEA_WORKSPACE_TOO_SMALL);
    fovea_plan_destroy(plan);
    error_call_dispose(&c);
}
END_TEST

static void *fail_elsewhere(void *other_reason) {
    ck_assert_str_eq(fovea_last_reason(), "");
    fovea_plan_create(NULL, NULL);
    strncpy(other_reason, fovea_last_reason(), 63);
    return NULL;
}

START_TEST(reasons_belong_to_their_thread) {
    error_call c;
    error_call_prepare(&c);
    c.desc.now.threads = -5;
    ck_assert_int_eq(fovea_attention(c.desc_pointer, c.args_pointer, NULL), FOVEA_INVALID);
    const char *reason = fovea_last_reason();
    char elsewhere[64] = "";
    pthread_t thread;
    ck_assert_int_eq(pthread_create(&thread, NULL, fail_elsewhere, elsewhere), 0);
    pthread_join(thread, NULL);
    ck_assert_ptr_nonnull(strstr(elsewhere, "plan"));
    ck_assert_ptr_nonnull(strstr(reason, "threads (-5)"));
    /* A success leaves it alone. */
    c.desc.now.threads = 1;
    ck_assert_int_eq(fovea_attention(c.desc_pointer, c.args_pointer, NULL), FOVEA_OK);
    ck_assert_ptr_nonnull(strstr(fovea_last_reason(), "threads (-5)"));
    error_call_dispose(&c);
}
END_TEST

START_TEST(statuses_have_names) {
    ck_assert_str_eq(fovea_status_string(FOVEA_OK), "ok");
    ck_assert_str_eq(fovea_status_string(FOVEA_INVALID), "invalid");
    ck_assert_str_eq(fovea_status_string(FOVEA_UNSUPPORTED), "unsupported");
    ck_assert_str_eq(fovea_status_string(FOVEA_OUT_OF_MEMORY), "out of memory");
    ck_assert_str_eq(fovea_status_string(FOVEA_WORKSPACE_TOO_SMALL), "workspace too small");
    ck_assert_str_eq(fovea_status_string((fovea_status)99), "unknown status");
}
END_TEST

Suite *errors_suite(void) {
    Suite *suite = suite_create("errors");
    TCase *cases = tcase_create("errors");
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, refused_memory_is_reported);
    tcase_add_test(cases, missing_plans_are_refused);
    tcase_add_test(cases, reasons_belong_to_their_thread);
    tcase_add_test(cases, statuses_have_names);
    suite_add_tcase(suite, cases);
    return suite;
}
