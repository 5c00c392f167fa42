#include "tensor.h"

#include <math.h>
#include <string.h>

#include "narrow.h"

/* A NaN that no computation produces: marks output elements that nobody wrote. */
enum { UNWRITTEN = 0x7fa5c3e1, UNWRITTEN_16 = 0x7fa5 };

static int64_t magnitude(int64_t stride) {
    return stride < 0 ? -stride : stride;
}

void tensor_set_strides(tensor *self, tensor_layout layout) {
    const int64_t *size = self->size;
    int64_t *strides = self->strides;
    int64_t row = size[3];
    if (layout == LAYOUT_PADDED) {
        row += 3;
    } else if (layout == LAYOUT_ROW_A_PAGE) {
        const int64_t page = (int64_t)(test_page_size() / self->element);
        row = (row + page - 1) / page * page;
    }
    strides[3] = 1;
    if (layout == LAYOUT_BSHD) {
        strides[1] = row;
        strides[2] = size[1] * row;
        strides[0] = size[2] * strides[2];
    } else {
        strides[2] = row;
        strides[1] = size[2] * row;
        strides[0] = size[1] * strides[1];
    }
    if (layout == LAYOUT_REVERSED) {
        for (int axis = 0; axis < 3; axis++) {
            strides[axis] = -strides[axis];
        }
    }
    if (layout >= LAYOUT_BROADCAST_BATCH) {
        strides[layout - LAYOUT_BROADCAST_BATCH] = 0;
    }
}

bool tensor_is_empty(const tensor *self) {
    return self->size[0] == 0 || self->size[1] == 0 || self->size[2] == 0 || self->size[3] == 0;
}

/* Allocates what size and strides span. */
void tensor_allocate(tensor *self, guard_side side, bool whole_pages) {
    if (tensor_is_empty(self)) {
        self->memory = guarded_create(0, 1, side);
        self->origin = self->memory.data;
        return;
    }
    int64_t span = 1, below = 0;
    for (int axis = 0; axis < 4; axis++) {
        const int64_t reach = magnitude(self->strides[axis]) * (self->size[axis] - 1);
        span += reach;
        below += self->strides[axis] < 0 ? reach : 0;
    }
    size_t bytes = (size_t)span * self->element, lead = 0;
    if (whole_pages) {
        const size_t page = test_page_size();
        lead = (page - bytes % page) % page;
        bytes += lead;
    }
    self->memory = guarded_create(bytes, self->element, side);
    self->origin = (unsigned char *)self->memory.data + lead + (size_t)below * self->element;
}

tensor tensor_create(int64_t a, int64_t b, int64_t c, int64_t d, size_t element, tensor_layout layout,
                     guard_side side) {
    tensor self = {.element = element, .size = {a, b, c, d}};
    tensor_set_strides(&self, layout);
    tensor_allocate(&self, side, layout == LAYOUT_ROW_A_PAGE);
    return self;
}

void *tensor_element(const tensor *self, int64_t a, int64_t b, int64_t c, int64_t d) {
    const int64_t offset = a * self->strides[0] + b * self->strides[1] + c * self->strides[2] + d * self->strides[3];
    return (unsigned char *)self->origin + offset * (int64_t)self->element;
}

float *tensor_at(const tensor *self, int64_t a, int64_t b, int64_t c, int64_t d) {
    return tensor_element(self, a, b, c, d);
}

double tensor_get(const tensor *self, int64_t a, int64_t b, int64_t c, int64_t d) {
    const void *element = tensor_element(self, a, b, c, d);
    switch (self->type) {
    case FOVEA_F32:
        return (double)*(const float *)element;
    case FOVEA_INT8:
        return *(const int8_t *)element;
    default:
        return narrow_value(narrow_of(self->type), *(const uint16_t *)element);
    }
}

void tensor_put(const tensor *self, int64_t a, int64_t b, int64_t c, int64_t d, float value) {
    void *element = tensor_element(self, a, b, c, d);
    switch (self->type) {
    case FOVEA_F32:
        *(float *)element = value;
        break;
    case FOVEA_INT8:
        *(int8_t *)element = (int8_t)rintf(value);
        break;
    default:
        *(uint16_t *)element = narrow_nearest(narrow_of(self->type), (double)value);
        break;
    }
}

void tensor_copy(tensor_run to, tensor_run from, int64_t count) {
    memcpy(tensor_element(to.tensor, to.a, to.b, to.c, to.d),
           tensor_element(from.tensor, from.a, from.b, from.c, from.d), (size_t)count * from.tensor->element);
}

void tensor_fill_unwritten(const tensor *self) {
    const uint32_t wide = UNWRITTEN;
    const uint16_t narrow = UNWRITTEN_16;
    const void *pattern = self->element == sizeof wide ? (const void *)&wide : &narrow;
    for (size_t i = 0; self->element > 1 && i + self->element <= self->memory.size; i += self->element) {
        memcpy((unsigned char *)self->memory.data + i, pattern, self->element);
    }
}

void tensor_fill_random(const tensor *self, test_random *random, float range) {
    FOR_EACH(self, a, b, c, d) {
        tensor_put(self, a, b, c, d, random_float(random, -range, range));
    }
}

size_t tensor_type_size(fovea_type type) {
    return type == FOVEA_F32 ? 4 : type == FOVEA_INT8 ? 1 : 2;
}

tensor tensor_of_type(fovea_type type, int64_t a, int64_t b, int64_t c, int64_t d, tensor_layout layout,
                      guard_side side) {
    tensor self = tensor_create(a, b, c, d, tensor_type_size(type), layout, side);
    self.type = type;
    return self;
}

bool tensor_is_unwritten(const tensor *self, const void *element) {
    uint32_t wide;
    uint16_t narrow;
    if (self->element == sizeof narrow) {
        memcpy(&narrow, element, sizeof narrow);
        return narrow == UNWRITTEN_16;
    }
    memcpy(&wide, element, sizeof wide);
    return wide == UNWRITTEN;
}

void tensor_set_index(const tensor *self, int64_t a, int64_t d, int64_t value) {
    void *element = tensor_element(self, a, 0, 0, d);
    if (self->element == sizeof(int64_t)) {
        *(int64_t *)element = value;
    } else {
        *(int32_t *)element = (int32_t)value;
    }
}

int64_t tensor_get_index(const tensor *self, int64_t a, int64_t d) {
    const void *element = tensor_element(self, a, 0, 0, d);
    return self->element == sizeof(int64_t) ? *(const int64_t *)element : *(const int32_t *)element;
}
