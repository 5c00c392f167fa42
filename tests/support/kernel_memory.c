#include "kernel_memory.h"

#include <check.h>
#include <math.h>
#include <string.h>

kernel_memory kernel_memory_create(test_random *random) {
    return (kernel_memory){.random = random};
}

void *take_bytes(kernel_memory *self, int64_t size, size_t alignment) {
    ck_assert_int_lt(self->count, KERNEL_MEMORY_MOST);
    const guard_side side = random_chance(self->random, 0.5) ? GUARD_AFTER : GUARD_BEFORE;
    guarded *memory = &self->buffers[self->count++];
    *memory = guarded_create((size_t)size, alignment, side);
    return memory->data;
}

float *take_floats(kernel_memory *self, int64_t count, size_t alignment) {
    return take_bytes(self, count * (int64_t)sizeof(float), alignment);
}

static void fill(float *to, int64_t count, float range, test_random *random) {
    for (int64_t i = 0; i < count; i++) {
        to[i] = random_float(random, -range, range);
    }
}

float *take_random(kernel_memory *self, int64_t count, size_t alignment, float range) {
    float *data = take_floats(self, count, alignment);
    fill(data, count, range, self->random);
    return data;
}

float *take_rows(kernel_memory *self, int64_t rows, int64_t columns, float range, int64_t *stride) {
    *stride = RANDOM_OF(self->random, columns, columns, columns + 1, columns + 13, 2048, -columns, -columns - 5);
    if (*stride == 2048 && columns > 2048) {
        *stride = columns;
    }
    const int64_t distance = *stride < 0 ? -*stride : *stride;
    const int64_t span = rows > 0 ? (rows - 1) * distance + columns : 0;
    float *data = take_floats(self, span, sizeof(float));
    for (int64_t i = 0; i < span; i++) {
        data[i] = NAN;
    }
    float *first = *stride < 0 && rows > 0 ? data + (rows - 1) * distance : data;
    for (int64_t row = 0; row < rows; row++) {
        fill(first + row * *stride, columns, range, self->random);
    }
    return first;
}

void kernel_memory_end(kernel_memory *self) {
    for (int32_t i = 0; i < self->count; i++) {
        ck_assert_msg(guarded_intact(&self->buffers[i]), "operand %d: written outside its bounds", (int)i);
        guarded_destroy(&self->buffers[i]);
    }
    self->count = 0;
}

arrangement arrangement_random(const fv_panel_kernels *kernels, int32_t columns, bool whole, test_random *random) {
    arrangement where = {.lanes = kernels->lanes, .columns = columns};
    const int32_t least = (columns + where.lanes - 1) / where.lanes;
    where.vectors = (int32_t)random_between(random, least > 0 ? least : 1, kernels->vectors);
    const int32_t row_vectors =
        whole ? where.vectors : (int32_t)random_between(random, where.vectors, kernels->vectors);
    where.ld = row_vectors * where.lanes;
    const int32_t width = where.vectors * where.lanes;
    int32_t order[FV_MAX_LANES];
    for (int32_t i = 0; i < width; i++) {
        const int32_t j = (int32_t)random_between(random, 0, i);
        order[i] = order[j];
        order[j] = i;
    }
    memcpy(where.place, order, sizeof(int32_t) * (size_t)columns);
    return where;
}

static int64_t width_of(const arrangement *where) {
    return (int64_t)where->vectors * where->lanes;
}

static int64_t span_of(const arrangement *where, int64_t rows) {
    return rows > 0 ? (rows - 1) * where->ld + width_of(where) : 0;
}

static size_t vector_alignment(const arrangement *where) {
    const size_t bytes = (size_t)where->lanes * sizeof(float);
    return bytes < FV_ALIGNMENT ? bytes : FV_ALIGNMENT;
}

float *take_panel(kernel_memory *self, const arrangement *where, int64_t rows, const float *columns) {
    const int64_t span = span_of(where, rows);
    float *panel = take_floats(self, span, vector_alignment(where));
    for (int64_t i = 0; i < span; i++) {
        panel[i] = random_chance(self->random, 0.3) ? random_hostile(self->random) : random_float(self->random, -1, 1);
    }
    for (int64_t row = 0; columns && row < rows; row++) {
        for (int32_t c = 0; c < where->columns; c++) {
            panel[row * where->ld + where->place[c]] = columns[row * where->columns + c];
        }
    }
    return panel;
}

float *take_lanes(kernel_memory *self, const arrangement *where, const float *columns) {
    return take_panel(self, where, 1, columns);
}

int32_t *take_lane_numbers(kernel_memory *self, const arrangement *where, const int32_t *columns) {
    const int64_t width = width_of(where);
    int32_t *numbers = take_bytes(self, width * (int64_t)sizeof *numbers, vector_alignment(where));
    for (int64_t i = 0; i < width; i++) {
        numbers[i] = (int32_t)random_between(self->random, -100, 1000);
    }
    for (int32_t c = 0; c < where->columns; c++) {
        numbers[where->place[c]] = columns[c];
    }
    return numbers;
}

void gather_panel(const arrangement *where, int64_t rows, const float *panel, float *columns) {
    for (int64_t row = 0; row < rows; row++) {
        for (int32_t c = 0; c < where->columns; c++) {
            columns[row * where->columns + c] = panel[row * where->ld + where->place[c]];
        }
    }
}

bool same_beside(const arrangement *where, int64_t rows, const float *panel, const float *before) {
    const int64_t width = width_of(where);
    for (int64_t row = 0; row + 1 < rows; row++) {
        const int64_t gap = row * where->ld + width;
        if (memcmp(panel + gap, before + gap, sizeof(float) * (size_t)(where->ld - width)) != 0) {
            return false;
        }
    }
    return true;
}

float *take_copy(kernel_memory *self, const arrangement *where, int64_t rows, const float *panel) {
    const int64_t span = span_of(where, rows);
    float *copy = take_floats(self, span, sizeof(float));
    memcpy(copy, panel, sizeof(float) * (size_t)span);
    return copy;
}

bool same_floats(int64_t count, const float *a, const float *b) {
    for (int64_t i = 0; i < count; i++) {
        const bool both_nan = isnan(a[i]) && isnan(b[i]);
        if (!both_nan && !(a[i] == b[i])) {
            return false;
        }
    }
    return true;
}
