#include "rope_case.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void *take_list(rope_case *self, const int64_t *values, int64_t count) {
    const bool wide = self->args.type_index == FOVEA_INDEX_INT64;
    void *list = take_bytes(&self->memory, count * (wide ? 8 : 4), wide ? 8 : 4);
    for (int64_t i = 0; i < count; i++) {
        if (wide) {
            ((int64_t *)list)[i] = values[i];
        } else {
            ((int32_t *)list)[i] = (int32_t)values[i];
        }
    }
    return list;
}

static void choose_tokens(rope_case *self, int64_t largest) {
    fovea_rope_args *args = &self->args;
    test_random *random = self->memory.random;
    const bool packed = args->form == FOVEA_FORM_PACKED, plain = !packed && random_chance(random, 0.3);
    int64_t offsets[ROPE_MOST_BATCH + 1] = {0};
    args->len = random_between(random, 1, largest);
    for (int64_t b = 0; b < args->batch; b++) {
        self->count[b] = plain ? args->len : random_between(random, 0, packed ? largest : args->len);
        offsets[b + 1] = offsets[b] + self->count[b];
    }
    if (packed) {
        args->len = offsets[args->batch];
        args->cu_seqlens = take_list(self, offsets, args->batch + 1);
    } else if (!plain) {
        args->lengths = take_list(self, self->count, args->batch);
    }
}

static void make_tensor(rope_case *self, int64_t heads, strided *from, strided *to, const void **data, int64_t *strides,
                        void **data_out, int64_t *strides_out) {
    const int64_t outer = self->args.form == FOVEA_FORM_PACKED ? 1 : self->args.batch;
    const int64_t size[4] = {outer, heads, self->args.len, self->args.head_dim};
    *from = strided_create(&self->memory, self->args.type, size);
    strided_fill(from, self->memory.random, 2);
    if (!self->in_place) {
        *to = strided_create(&self->memory, self->args.type, size);
    }
    const strided *target = self->in_place ? from : to;
    *data = from->origin;
    *data_out = target->origin;
    memcpy(strides, from->strides, sizeof from->strides);
    memcpy(strides_out, target->strides, sizeof target->strides);
}

/* The positions of first tokens: within tables near their beginning, else anywhere. */
static void choose_first(rope_case *self) {
    test_random *random = self->memory.random;
    const bool wide = self->args.type_index == FOVEA_INDEX_INT64;
    const int64_t most = wide ? INT64_MAX : INT32_MAX, least = wide ? INT64_MIN : INT32_MIN;
    if (self->rotation.positions || random_chance(random, 0.3)) {
        return;
    }
    for (int64_t b = 0; b < self->args.batch; b++) {
        const int64_t near = random_between(random, 0, 9);
        const int64_t any = RANDOM_OF(random, near, near, near, -1000000, 1000000, most, most - 2, least);
        self->first[b] = self->rotation.cosines ? near : any;
    }
    self->args.first_positions = take_list(self, self->first, self->args.batch);
}

rope_case *rope_create(test_random *random, int64_t largest, fovea_isa isa) {
    rope_case *self = calloc(1, sizeof *self);
    ck_assert_ptr_nonnull(self);
    self->memory = kernel_memory_create(random);
    self->in_place = random_chance(random, 0.5);
    fovea_rope_args *args = &self->args;
    *args = (fovea_rope_args){
        .struct_size = sizeof *args,
        .batch = random_between(random, 1, ROPE_MOST_BATCH),
        .heads_q = random_between(random, 0, 3),
        .heads_kv = random_between(random, 0, 2),
        .head_dim = RANDOM_OF(random, 2, 7, 16, 33, 64, 80, 1200),
        .type = (fovea_type)random_between(random, FOVEA_F32, FOVEA_BF16),
        .type_index = (fovea_index_type)random_between(random, 0, 1),
        .form = (fovea_form)random_between(random, FOVEA_FORM_DENSE, FOVEA_FORM_PACKED),
        .isa_cap = isa,
    };
    choose_tokens(self, largest);
    make_tensor(self, args->heads_q, &self->q, &self->q_out, &args->q, args->q_strides, &args->q_out,
                args->q_out_strides);
    make_tensor(self, args->heads_kv, &self->k, &self->k_out, &args->k, args->k_strides, &args->k_out,
                args->k_out_strides);
    const turned_tokens tokens = {args->batch, self->q.size[0], args->len, largest + 10};
    self->rotation = turned_random(&self->memory, args->head_dim, &tokens);
    args->rotation = &self->rotation;
    choose_first(self);
    return self;
}

void rope_destroy(rope_case *self) {
    strided_destroy(&self->q);
    strided_destroy(&self->q_out);
    strided_destroy(&self->k);
    strided_destroy(&self->k_out);
    kernel_memory_end(&self->memory);
    free(self);
}

fovea_status rope_run(rope_case *self, const fovea_executor *executor) {
    strided *all[] = {&self->q, &self->q_out, &self->k, &self->k_out};
    for (int i = 0; i < 4; i++) {
        if (all[i]->bytes) {
            strided_remember(all[i]);
        }
    }
    return fovea_rope(&self->args, executor);
}

/* What an element held before the call. */
static double value_before(const strided *tensor, int64_t a, int64_t b, int64_t c, int64_t d) {
    const unsigned char *at = strided_at(tensor, a, b, c, d);
    return element_value(tensor->type, tensor->before + (at - tensor->bytes));
}

static void check_row(const rope_case *self, const strided *from, const strided *to, int64_t outer, int64_t row,
                      int64_t head, int64_t b, int64_t position) {
    static double x[2000], error[2000];
    const int64_t dim = self->args.head_dim;
    for (int64_t d = 0; d < dim; d++) {
        x[d] = value_before(from, outer, head, row, d);
    }
    turned_row(&self->rotation, b, position, dim, x, error);
    for (int64_t d = 0; d < dim; d++) {
        const double actual = strided_get(to, outer, head, row, d);
        const double allowed = error[d] > 0 ? error[d] + turned_rounding(to->type, x[d]) : 0;
        /* An assertion that holds costs a system call too. */
        if (!(fabs(actual - x[d]) <= allowed)) {
            ck_abort_msg("[%lld][%lld][%lld][%lld] is %.9g instead of %.9g +- %.3g", (long long)outer, (long long)head,
                         (long long)row, (long long)d, actual, x[d], allowed);
        }
    }
}

static void check_tensor(const rope_case *self, const strided *from, const strided *out) {
    const strided *to = self->in_place ? from : out;
    int64_t offset = 0;
    for (int64_t b = 0; b < self->args.batch; b++) {
        const bool packed = self->args.form == FOVEA_FORM_PACKED;
        for (int64_t i = 0; i < self->count[b]; i++) {
            const int64_t outer = packed ? 0 : b, row = packed ? offset + i : i;
            const int64_t own = self->first[b] > INT64_MAX - i ? INT64_MAX : self->first[b] + i;
            const int64_t position = turned_position(&self->rotation, outer, row, own);
            for (int64_t head = 0; head < from->size[1]; head++) {
                check_row(self, from, to, outer, row, head, b, position);
                for (int64_t d = 0; d < self->args.head_dim; d++) {
                    strided_forget(to, outer, head, row, d);
                }
            }
        }
        offset += self->count[b];
    }
    ck_assert(strided_unchanged(from));
    ck_assert(self->in_place || strided_unchanged(to));
}

void rope_check(const rope_case *self) {
    check_tensor(self, &self->q, &self->q_out);
    check_tensor(self, &self->k, &self->k_out);
}
