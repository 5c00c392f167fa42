#include "panel_case.h"

#include <check.h>
#include <stdlib.h>

columns *columns_random(int64_t count, float range, test_random *random) {
    columns *self = malloc(sizeof *self);
    ck_assert_ptr_nonnull(self);
    ck_assert_int_le(count, MOST);
    for (int64_t i = 0; i < count; i++) {
        self->data[i] = random_float(random, -range, range);
    }
    return self;
}

int32_t random_keys(const fv_panel_kernels *kernels, test_random *random) {
    const int32_t block = kernels->key_block < FV_MAX_BLOCK ? kernels->key_block : FV_MAX_BLOCK;
    return (int32_t)(random_chance(random, 0.05) ? block : random_between(random, 0, 70));
}

int64_t random_dim(test_random *random) {
    return random_chance(random, 0.1) ? random_between(random, 71, 256) : random_between(random, 1, 70);
}

int32_t random_columns(const fv_panel_kernels *kernels, test_random *random) {
    return (int32_t)random_between(random, 1, (int64_t)kernels->vectors * kernels->lanes);
}
