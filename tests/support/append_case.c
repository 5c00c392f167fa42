#include "append_case.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "executors.h"

enum { LONGEST_HEAD = 2000 };

int64_t append_index(const append_case *self, const void *indices, int64_t i) {
    return self->spec.type_index == FOVEA_INDEX_INT64 ? ((const int64_t *)indices)[i] : ((const int32_t *)indices)[i];
}

void append_set_index(const append_case *self, void *indices, int64_t i, int64_t value) {
    if (self->spec.type_index == FOVEA_INDEX_INT64) {
        ((int64_t *)indices)[i] = value;
    } else {
        ((int32_t *)indices)[i] = (int32_t)value;
    }
}

/* --- Making a call --- */

append_spec append_random(test_random *random, int64_t largest, fovea_isa isa) {
    append_spec spec = {
        .type_new = (fovea_type)random_between(random, FOVEA_F32, FOVEA_BF16),
        .type_kv = (fovea_type)random_between(random, FOVEA_F32, FOVEA_INT8),
        .type_index = (fovea_index_type)random_between(random, 0, 1),
        .form_new = (fovea_form)random_between(random, FOVEA_FORM_DENSE, FOVEA_FORM_PACKED),
        .form_kv = (fovea_form)random_between(random, FOVEA_FORM_DENSE, FOVEA_FORM_PAGED),
        .batch = random_between(random, 1, APPEND_MOST_BATCH),
        .heads_kv = random_between(random, 1, 3),
        .head_dim = RANDOM_OF(random, 1, 7, 16, 33, 64, 80),
        .head_dim_v = RANDOM_OF(random, 0, 1, 5, 16, 31, 64),
        .page_size = random_between(random, 1, 5),
        .plain = random_chance(random, 0.2),
        .turned = random_chance(random, 0.5),
        .isa = isa,
    };
    if (random_chance(random, 0.1)) {
        spec.head_dim = random_between(random, 500, 1100);
    }
    spec.turned = spec.turned && spec.head_dim > 1;
    for (int64_t b = 0; b < spec.batch; b++) {
        const bool like_first = spec.plain && b > 0;
        spec.count[b] = like_first ? spec.count[0] : random_between(random, 0, largest);
        spec.first[b] = spec.plain ? 0 : random_between(random, 0, largest);
        spec.capacity[b] = spec.first[b] + spec.count[b] + random_between(random, 0, 3);
    }
    return spec;
}

static int64_t largest_of(const int64_t *values, int64_t count) {
    int64_t largest = 0;
    for (int64_t i = 0; i < count; i++) {
        largest = values[i] > largest ? values[i] : largest;
    }
    return largest;
}

static int64_t sum_of(const int64_t *values, int64_t count) {
    int64_t sum = 0;
    for (int64_t i = 0; i < count; i++) {
        sum += values[i];
    }
    return sum;
}

static void *take_indices(append_case *self, int64_t count) {
    const int64_t bytes = self->spec.type_index == FOVEA_INDEX_INT64 ? 8 : 4;
    return take_bytes(&self->memory, count * bytes, (size_t)bytes);
}

static void *take_index_list(append_case *self, const int64_t *values) {
    void *list = take_indices(self, self->spec.batch);
    for (int64_t b = 0; b < self->spec.batch; b++) {
        append_set_index(self, list, b, values[b]);
    }
    return list;
}

static void *take_offsets(append_case *self, const int64_t *lengths) {
    void *offsets = take_indices(self, self->spec.batch + 1);
    for (int64_t b = 0; b <= self->spec.batch; b++) {
        append_set_index(self, offsets, b, sum_of(lengths, b));
    }
    return offsets;
}

static void create_new(append_case *self) {
    const append_spec *spec = &self->spec;
    const bool packed = spec->form_new == FOVEA_FORM_PACKED;
    const int64_t len = packed ? sum_of(spec->count, spec->batch) : largest_of(spec->count, spec->batch);
    const int64_t outer = packed ? 1 : spec->batch;
    self->k_new =
        strided_create(&self->memory, spec->type_new, (int64_t[]){outer, spec->heads_kv, len, spec->head_dim});
    self->v_new =
        strided_create(&self->memory, spec->type_new, (int64_t[]){outer, spec->heads_kv, len, spec->head_dim_v});
    strided_fill(&self->k_new, self->memory.random, 3);
    strided_fill(&self->v_new, self->memory.random, 0.01);
    self->args.len_new = len;
    if (packed) {
        self->args.cu_seqlens_new = self->cu_new = take_offsets(self, spec->count);
    } else if (!spec->plain) {
        self->args.lengths_new = self->lengths = take_index_list(self, spec->count);
    }
    if (!spec->plain) {
        self->args.first_positions = self->first = take_index_list(self, spec->first);
    }
}

static void create_rotation(append_case *self) {
    const append_spec *spec = &self->spec;
    const turned_tokens tokens = {
        .batch = spec->batch,
        .outer = self->k_new.size[0],
        .len = self->k_new.size[2],
        .own = largest_of(spec->first, spec->batch) + largest_of(spec->count, spec->batch),
    };
    self->rotation = turned_random(&self->memory, spec->head_dim, &tokens);
    self->args.rotation = &self->rotation;
}

/* Every sequence has pages of its own, in random order; entries behind its capacity hold garbage. */
static void create_block_table(append_case *self, int64_t max_pages) {
    const append_spec *spec = &self->spec;
    const int64_t pages = spec->batch * max_pages + 2;
    int64_t order[APPEND_MOST_BATCH * 64];
    ck_assert_int_le(pages, APPEND_MOST_BATCH * 64);
    test_random contents = test_random_branch(self->memory.random);
    for (int64_t i = 0; i < pages; i++) {
        const int64_t j = random_between(&contents, 0, i);
        order[i] = order[j];
        order[j] = i;
    }
    self->table = take_indices(self, spec->batch * max_pages);
    for (int64_t b = 0; b < spec->batch; b++) {
        for (int64_t i = 0; i < max_pages; i++) {
            const bool within = i * spec->page_size < spec->first[b] + spec->count[b];
            append_set_index(self, self->table, b * max_pages + i, within ? order[b * max_pages + i] : -7);
        }
    }
    self->args.block_table = self->table;
    self->args.block_table_strides[0] = max_pages;
    self->args.block_table_strides[1] = 1;
    self->args.pages = pages;
    self->args.page_size = spec->page_size;
}

static void create_cache(append_case *self) {
    const append_spec *spec = &self->spec;
    int64_t outer = spec->batch, len = largest_of(spec->capacity, spec->batch);
    self->args.len_kv = len;
    if (spec->form_kv == FOVEA_FORM_PACKED) {
        outer = 1;
        self->args.len_kv = len = sum_of(spec->capacity, spec->batch);
        self->args.cu_seqlens_kv = self->cu_kv = take_offsets(self, spec->capacity);
    } else if (spec->form_kv == FOVEA_FORM_PAGED) {
        const int64_t max_pages = (len + spec->page_size - 1) / spec->page_size;
        create_block_table(self, max_pages);
        self->args.len_kv = max_pages * spec->page_size;
        outer = self->args.pages;
        len = spec->page_size;
    }
    const int64_t heads = spec->heads_kv;
    self->k = strided_create(&self->memory, spec->type_kv, (int64_t[]){outer, heads, len, spec->head_dim});
    self->v = strided_create(&self->memory, spec->type_kv, (int64_t[]){outer, heads, len, spec->head_dim_v});
    if (spec->type_kv == FOVEA_INT8) {
        self->k_scales = strided_create(&self->memory, FOVEA_F32, (int64_t[]){outer, heads, len, 1});
        self->v_scales = strided_create(&self->memory, FOVEA_F32, (int64_t[]){outer, heads, len, 1});
    }
}

static void pass(const strided *tensor, void **data, int64_t *strides, size_t axes) {
    *data = tensor->origin;
    memcpy(strides, tensor->strides, axes * sizeof *strides);
}

append_case *append_create(const append_spec *spec, test_random *random) {
    append_case *self = calloc(1, sizeof *self);
    ck_assert_ptr_nonnull(self);
    self->spec = *spec;
    self->memory = kernel_memory_create(random);
    fovea_kv_append_args *args = &self->args;
    *args = (fovea_kv_append_args){
        .struct_size = sizeof *args,
        .batch = spec->batch,
        .heads_kv = spec->heads_kv,
        .head_dim = spec->head_dim,
        .head_dim_v = spec->head_dim_v,
        .type_new = spec->type_new,
        .type_kv = spec->type_kv,
        .type_index = spec->type_index,
        .form_new = spec->form_new,
        .form_kv = spec->form_kv,
        .isa_cap = spec->isa,
    };
    create_new(self);
    create_cache(self);
    if (spec->turned) {
        create_rotation(self);
    }
    void *data;
    pass(&self->k_new, &data, args->k_new_strides, 4);
    args->k_new = data;
    pass(&self->v_new, &data, args->v_new_strides, 4);
    args->v_new = data;
    pass(&self->k, &args->k, args->k_strides, 4);
    pass(&self->v, &args->v, args->v_strides, 4);
    if (spec->type_kv == FOVEA_INT8) {
        pass(&self->k_scales, &data, args->k_scale_strides, 3);
        args->k_scales = data;
        pass(&self->v_scales, &data, args->v_scale_strides, 3);
        args->v_scales = data;
    }
    return self;
}

typedef struct tensors {
    strided *all[6];
} tensors;

static tensors tensors_of(append_case *self) {
    return (tensors){{&self->k_new, &self->v_new, &self->k, &self->v, &self->k_scales, &self->v_scales}};
}

fovea_status append_run(append_case *self, const fovea_executor *executor) {
    const tensors list = tensors_of(self);
    for (int i = 0; i < 6; i++) {
        if (list.all[i]->bytes) {
            strided_remember(list.all[i]);
        }
    }
    return fovea_kv_append(&self->args, executor);
}

void append_destroy(append_case *self) {
    const tensors list = tensors_of(self);
    for (int i = 0; i < 6; i++) {
        strided_destroy(list.all[i]);
    }
    kernel_memory_end(&self->memory);
    free(self);
}

/* --- The oracle --- */

/* Where a token stands in a tensor: indices of the first axis and of that of tokens. */
typedef struct place {
    int64_t outer, row;
} place;

static place place_in_new(const append_spec *spec, int64_t b, int64_t i) {
    return spec->form_new == FOVEA_FORM_PACKED ? (place){0, sum_of(spec->count, b) + i} : (place){b, i};
}

static place place_in_cache(const append_case *self, int64_t b, int64_t position) {
    const append_spec *spec = &self->spec;
    if (spec->form_kv == FOVEA_FORM_DENSE) {
        return (place){b, position};
    }
    if (spec->form_kv == FOVEA_FORM_PACKED) {
        return (place){0, sum_of(spec->capacity, b) + position};
    }
    const int64_t *strides = self->args.block_table_strides;
    const int64_t entry = b * strides[0] + position / spec->page_size * strides[1];
    return (place){append_index(self, self->table, entry), position % spec->page_size};
}

static bool same(double a, double b) {
    return (isnan(a) && isnan(b)) || a == b;
}

static void check_element(const strided *to, place at, int64_t head, int64_t d, double expected, double error) {
    const double actual = strided_get(to, at.outer, head, at.row, d);
    /* An assertion that holds costs a system call too. */
    if (!same(actual, expected) && !(fabs(actual - expected) <= error)) {
        ck_abort_msg("[%lld][%lld][%lld][%lld] is %.9g instead of %.9g", (long long)at.outer, (long long)head,
                     (long long)at.row, (long long)d, actual, expected);
    }
    strided_forget(to, at.outer, head, at.row, d);
}

/* max |x|; NaN if x holds a NaN or an infinity. */
static double finite_peak(const double *x, int64_t count) {
    double peak = 0;
    for (int64_t d = 0; d < count; d++) {
        if (!isfinite(x[d])) {
            return NAN;
        }
        peak = fabs(x[d]) > peak ? fabs(x[d]) : peak;
    }
    return peak;
}

static void check_quantised(const strided *to, const strided *scales, place at, int64_t head, const double *x,
                            const double *error) {
    const float expected_scale = (float)(finite_peak(x, to->size[3]) / 127);
    const float scale = *(const float *)strided_at(scales, at.outer, head, at.row, 0);
    check_element(scales, at, head, 0, (double)expected_scale, finite_peak(error, to->size[3]) / 127);
    for (int64_t d = 0; d < to->size[3]; d++) {
        const double quotient = scale > 0 ? (double)(float)(x[d] / (double)scale) : 0;
        const double whole = fmin(fmax(rint(quotient), -127), 127);
        /* Between two integers a small error decides. */
        const bool close = error[d] > 0 && fabs(quotient - rint(quotient)) > 0.499;
        check_element(to, at, head, d, whole, close ? 1 : 0);
    }
}

static void check_converted(const strided *to, place at, int64_t head, const double *x, const double *error) {
    for (int64_t d = 0; d < to->size[3]; d++) {
        uint32_t room;
        element_store(to->type, x[d], &room);
        if (error[d] > 0) {
            check_element(to, at, head, d, x[d], error[d] + turned_rounding(to->type, x[d]));
        } else {
            check_element(to, at, head, d, element_value(to->type, &room), 0);
        }
    }
}

/* The row of a token that stands at `position`, turned if there is a rotation. */
static void check_row(const strided *from, const strided *to, const strided *scales, place source, place target,
                      int64_t head, const fovea_rotation *rotation, int64_t batch, int64_t position) {
    double x[LONGEST_HEAD], error[LONGEST_HEAD] = {0};
    for (int64_t d = 0; d < from->size[3]; d++) {
        x[d] = strided_get(from, source.outer, head, source.row, d);
    }
    if (rotation) {
        turned_row(rotation, batch, position, from->size[3], x, error);
    }
    if (to->type == FOVEA_INT8 && to->size[3] > 0) {
        check_quantised(to, scales, target, head, x, error);
    } else {
        check_converted(to, target, head, x, error);
    }
}

void append_check(append_case *self) {
    const append_spec *spec = &self->spec;
    for (int64_t b = 0; b < spec->batch; b++) {
        for (int64_t i = 0; i < spec->count[b]; i++) {
            const place from = place_in_new(spec, b, i), to = place_in_cache(self, b, spec->first[b] + i);
            const fovea_rotation *rotation = self->args.rotation;
            const int64_t own = spec->first[b] + i;
            const int64_t position = rotation ? turned_position(rotation, from.outer, from.row, own) : own;
            for (int64_t head = 0; head < spec->heads_kv; head++) {
                check_row(&self->k_new, &self->k, &self->k_scales, from, to, head, rotation, b, position);
                check_row(&self->v_new, &self->v, &self->v_scales, from, to, head, NULL, b, position);
            }
        }
    }
    const tensors list = tensors_of(self);
    for (int i = 0; i < 6; i++) {
        ck_assert_msg(!list.all[i]->bytes || strided_unchanged(list.all[i]), "written elsewhere in tensor %d", i);
    }
}

void append_run_and_check(append_case *self) {
    test_executor pool;
    test_executor_init(&pool, EXECUTOR_DEFAULT, 2, 0);
    const fovea_status status = append_run(self, test_executor_get(&pool));
    ck_assert_msg(status == FOVEA_OK, "%s", fovea_last_reason());
    append_check(self);
}
