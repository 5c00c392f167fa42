#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "spoil.h"
#include "src/validate.h"
#include "support/append_case.h"
#include "support/backends.h"
#include "support/executors.h"
#include "targets.h"

/* What a call writes to. */
typedef struct cache {
    const strided *all[4];
} cache;

static cache cache_of(const append_case *self) {
    return (cache){{&self->k, &self->v, &self->k_scales, &self->v_scales}};
}

static bool is_unchanged(const append_case *self) {
    const cache written = cache_of(self);
    for (int i = 0; i < 4; i++) {
        if (written.all[i]->bytes && !strided_unchanged(written.all[i])) {
            return false;
        }
    }
    return true;
}

static void restore(const append_case *self) {
    const cache written = cache_of(self);
    for (int i = 0; i < 4; i++) {
        if (written.all[i]->bytes) {
            strided_restore(written.all[i]);
        }
    }
}

/* By any number of threads and workers; the cache is as before. */
static fovea_status run(append_case *self, test_random *random) {
    test_executor pool;
    test_executor_init(&pool, EXECUTOR_SHUFFLED, (int32_t)random_between(random, 1, 9), 1);
    self->args.threads = (int32_t)random_between(random, 0, 3);
    return append_run(self, test_executor_get(&pool));
}

static void run_ok(append_case *self, test_random *random) {
    const fovea_status status = run(self, random);
    ck_assert_msg(status == FOVEA_OK, "%s", fovea_last_reason());
}

/* The cache's bytes, gaps included. */
static unsigned char *copy_cache(const append_case *self, size_t *size) {
    const cache written = cache_of(self);
    *size = 0;
    for (int i = 0; i < 4; i++) {
        *size += (size_t)written.all[i]->bytes_size;
    }
    unsigned char *bytes = malloc(*size + 1), *to = bytes;
    ck_assert_ptr_nonnull(bytes);
    for (int i = 0; i < 4; i++) {
        const size_t count = (size_t)written.all[i]->bytes_size;
        if (count > 0) {
            memcpy(to, written.all[i]->bytes, count);
        }
        to += count;
    }
    return bytes;
}

static void check_legal(append_case *self, test_random *random) {
    size_t size, again;
    run_ok(self, random);
    unsigned char *first = copy_cache(self, &size);
    append_check(self);
    run_ok(self, random);
    unsigned char *second = copy_cache(self, &again);
    ck_assert_msg(memcmp(first, second, size) == 0, "the result depends on threads or workers");
    restore(self);
    free(first);
    free(second);
}

/* Any number in the place of an index. What is accepted then stays within the tensors, which guards watch. */
static void spoil_index(append_case *self, test_random *random) {
    void *const lists[] = {self->lengths, self->cu_new, self->first, self->cu_kv, self->table};
    void *list = lists[random_between(random, 0, 4)];
    const int64_t last = list == self->cu_new || list == self->cu_kv ? self->spec.batch : self->spec.batch - 1;
    const int64_t at = random_between(random, 0, last), small = random_between(random, -1, 40);
    const int64_t value = RANDOM_OF(random, small, small, INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN);
    const bool has_no_page = list == self->table && self->args.block_table_strides[0] == 0;
    if (!list || has_no_page) {
        return;
    }
    const int64_t kept = append_index(self, list, at);
    append_set_index(self, list, at, value);
    if (run(self, random) == FOVEA_OK) {
        restore(self);
    }
    ck_assert_msg(is_unchanged(self), "an error, and the cache was written to");
    append_set_index(self, list, at, kept);
}

/* Fields that say how much memory there is to read while arguments are checked. */
static void keep_memory(fovea_kv_append_args *now, const fovea_kv_append_args *before) {
    SPOIL_KEEP_WITHIN(now, before, batch);
    SPOIL_KEEP_WITHIN(now, before, len_new);
    SPOIL_KEEP_WITHIN(now, before, len_kv);
    SPOIL_KEEP_WITHIN(now, before, head_dim);
    SPOIL_KEEP_WITHIN(now, before, type_index);
    if (now->page_size > 0) {
        SPOIL_KEEP(now, before, page_size);
    }
    SPOIL_KEEP(now, before, lengths_new);
    SPOIL_KEEP(now, before, cu_seqlens_new);
    SPOIL_KEEP(now, before, first_positions);
    SPOIL_KEEP(now, before, cu_seqlens_kv);
    SPOIL_KEEP(now, before, block_table);
    SPOIL_KEEP(now, before, block_table_strides);
    SPOIL_KEEP(now, before, rotation);
    SPOIL_KEEP(now, before, k_new);
    SPOIL_KEEP(now, before, v_new);
    SPOIL_KEEP(now, before, k);
    SPOIL_KEEP(now, before, v);
    SPOIL_KEEP(now, before, k_scales);
    SPOIL_KEEP(now, before, v_scales);
}

/* Takes a pointer away, misaligns it, or lets new tokens lie in the cache. */
static void spoil_pointer(fovea_kv_append_args *args, test_random *random) {
    const int64_t choice = random_between(random, 0, 12);
    switch (choice) {
    case 0:
        args->k_new = args->k;
        break;
    case 1:
        args->v_new = args->k;
        break;
    case 2:
        args->v = args->k;
        break;
    case 3:
        args->k_new = (const char *)args->k_new + 1;
        break;
    case 4:
        args->first_positions = args->first_positions ? (const char *)args->first_positions + 1 : NULL;
        break;
    default: {
        const void **const pointers[] = {&args->lengths_new,   &args->cu_seqlens_new, &args->first_positions,
                                         &args->cu_seqlens_kv, &args->block_table,    &args->k_new,
                                         &args->v_new};
        *pointers[choice % 7] = NULL;
    }
    }
}

/* What is refused is refused by the call too, and nothing is written. What is not may need memory that is not there. */
static void check_spoiled(const append_case *self, test_random *random) {
    const fovea_kv_append_args *before = &self->args;
    fovea_kv_append_args *args = spoil_copy(before, sizeof *before, random);
    fovea_rotation *rotation = NULL;
    keep_memory(args, before);
    switch (random_between(random, 0, 2)) {
    case 0:
        break;
    case 1:
        *args = *before;
        args->rotation = rotation = before->rotation ? spoil_rotation(before->rotation, random) : NULL;
        break;
    default:
        *args = *before;
        spoil_pointer(args, random);
        break;
    }
    const fovea_status status = fv_validate_append(args);
    if (status != FOVEA_OK) {
        spoil_expect_reason(status);
        ck_assert_int_eq(fovea_kv_append(args, NULL), status);
        ck_assert_msg(is_unchanged(self), "an error, and the cache was written to");
    }
    free(rotation);
    free(args);
}

void fuzz_append(const uint8_t *bytes, size_t size) {
    test_random random = test_random_of_bytes(bytes, size);
    const int64_t largest = RANDOM_OF(&random, 6, 1, 6, 30);
    const append_spec spec = append_random(&random, largest, backend_any_cap(&random));
    append_case *self = append_create(&spec, &random);
    check_legal(self, &random);
    spoil_index(self, &random);
    check_spoiled(self, &random);
    append_destroy(self);
}
