#include "strided.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "narrow.h"

int64_t element_bytes(fovea_type type) {
    return type == FOVEA_F32 ? 4 : type == FOVEA_INT8 ? 1 : 2;
}

double element_value(fovea_type type, const void *element) {
    switch (type) {
    case FOVEA_F32:
        return (double)*(const float *)element;
    case FOVEA_INT8:
        return *(const int8_t *)element;
    default:
        return narrow_value(narrow_of(type), *(const uint16_t *)element);
    }
}

void element_store(fovea_type type, double value, void *element) {
    switch (type) {
    case FOVEA_F32:
        *(float *)element = (float)value;
        break;
    case FOVEA_INT8:
        *(int8_t *)element = (int8_t)rint(value);
        break;
    default:
        *(uint16_t *)element = narrow_nearest(narrow_of(type), value);
        break;
    }
}

/* Distances in elements: axes from the innermost to the outermost in `order`, each beyond the ones before it. */
static int64_t choose_strides(strided *self, test_random *random) {
    int order[3] = {0, 1, 2};
    for (int i = 2; i > 0; i--) {
        const int j = (int)random_between(random, 0, i), other = order[j];
        order[j] = order[i];
        order[i] = other;
    }
    self->strides[3] = 1;
    int64_t span = self->size[3] + random_between(random, 0, 3);
    for (int i = 0; i < 3; i++) {
        const int axis = order[i];
        self->strides[axis] = random_chance(random, 0.3) ? -span : span;
        span = span * (self->size[axis] > 0 ? self->size[axis] : 1) + random_between(random, 0, 2);
    }
    return span;
}

/* Exactly what the elements span, so that the guards are next to the first and the last. */
static void allocate(strided *self, kernel_memory *memory) {
    const int64_t *size = self->size;
    int64_t span = 1, below = 0;
    for (int axis = 0; axis < 4; axis++) {
        const int64_t steps = size[axis] > 0 ? size[axis] - 1 : 0;
        span += steps * llabs(self->strides[axis]);
        below += self->strides[axis] < 0 ? steps * -self->strides[axis] : 0;
    }
    if (size[0] * size[1] * size[2] * size[3] == 0) {
        span = 0;
    }
    self->bytes_size = span * self->element;
    self->bytes = take_bytes(memory, self->bytes_size, (size_t)self->element);
    self->before = malloc((size_t)self->bytes_size + 1);
    ck_assert_ptr_nonnull(self->before);
    self->origin = self->bytes + below * self->element;
    test_random contents = test_random_branch(memory->random);
    for (int64_t i = 0; i < self->bytes_size; i++) {
        self->bytes[i] = (unsigned char)(random_bits(&contents) >> 32);
    }
    strided_remember(self);
}

strided strided_create(kernel_memory *memory, fovea_type type, const int64_t size[4]) {
    strided self = {.type = type, .element = element_bytes(type)};
    memcpy(self.size, size, sizeof self.size);
    choose_strides(&self, memory->random);
    allocate(&self, memory);
    return self;
}

strided strided_create_like(kernel_memory *memory, const strided *like) {
    strided self = *like;
    allocate(&self, memory);
    return self;
}

void strided_destroy(strided *self) {
    free(self->before);
    self->before = NULL;
}

static int64_t byte_of(const strided *self, int64_t a, int64_t b, int64_t c, int64_t d) {
    const int64_t offset = a * self->strides[0] + b * self->strides[1] + c * self->strides[2] + d * self->strides[3];
    return ((unsigned char *)self->origin - self->bytes) + offset * self->element;
}

void *strided_at(const strided *self, int64_t a, int64_t b, int64_t c, int64_t d) {
    return self->bytes + byte_of(self, a, b, c, d);
}

double strided_get(const strided *self, int64_t a, int64_t b, int64_t c, int64_t d) {
    return element_value(self->type, strided_at(self, a, b, c, d));
}

void strided_put(const strided *self, int64_t a, int64_t b, int64_t c, int64_t d, double value) {
    element_store(self->type, value, strided_at(self, a, b, c, d));
}

void strided_fill(const strided *self, test_random *random, double range) {
    test_random contents = test_random_branch(random);
    for (int64_t a = 0; a < self->size[0]; a++) {
        for (int64_t b = 0; b < self->size[1]; b++) {
            for (int64_t c = 0; c < self->size[2]; c++) {
                for (int64_t d = 0; d < self->size[3]; d++) {
                    strided_put(self, a, b, c, d, range * (double)random_float(&contents, -1, 1));
                }
            }
        }
    }
}

void strided_remember(strided *self) {
    memcpy(self->before, self->bytes, (size_t)self->bytes_size);
}

void strided_forget(const strided *self, int64_t a, int64_t b, int64_t c, int64_t d) {
    const int64_t at = byte_of(self, a, b, c, d);
    memcpy(self->bytes + at, self->before + at, (size_t)self->element);
}

void strided_restore(const strided *self) {
    memcpy(self->bytes, self->before, (size_t)self->bytes_size);
}

bool strided_unchanged(const strided *self) {
    return memcmp(self->bytes, self->before, (size_t)self->bytes_size) == 0;
}
