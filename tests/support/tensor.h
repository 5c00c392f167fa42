/* Strided tensors of four axes in guarded memory. */
#ifndef FOVEA_TESTS_TENSOR_H
#define FOVEA_TESTS_TENSOR_H

#include <stdbool.h>
#include <stdint.h>

#include "fovea/types.h"
#include "guard.h"
#include "random.h"

/* How a (batch, heads, rows, columns) tensor lies in memory. */
typedef enum tensor_layout {
    /* Contiguous; or (batch, rows, heads, columns). */
    LAYOUT_BHSD,
    LAYOUT_BSHD,
    /* As LAYOUT_BHSD with a gap after each row. */
    LAYOUT_PADDED,
    /* As LAYOUT_BHSD, with negative strides on batch, heads and rows. */
    LAYOUT_REVERSED,
    /* Keys and values: every row ends where a page ends, and pages of rows past the key length are forbidden. */
    LAYOUT_ROW_A_PAGE,
    /* Inputs: stride 0 on one axis. */
    LAYOUT_BROADCAST_BATCH,
    LAYOUT_BROADCAST_HEADS,
    LAYOUT_BROADCAST_ROWS,
    LAYOUT_COUNT
} tensor_layout;

/* A strided tensor in guarded memory. */
typedef struct tensor {
    guarded memory;
    /* Of floating-point numbers and int8; other elements have but a size. */
    fovea_type type;
    size_t element;
    void *origin;
    int64_t size[4];
    int64_t strides[4];
} tensor;

/* Sizes a to d. Allocates what size and strides span; its elements have no type. */
tensor tensor_create(int64_t a, int64_t b, int64_t c, int64_t d, size_t element, tensor_layout layout, guard_side side);
tensor tensor_of_type(fovea_type type, int64_t a, int64_t b, int64_t c, int64_t d, tensor_layout layout,
                      guard_side side);

/* Bytes of an element. */
size_t tensor_type_size(fovea_type type);

/* The two steps of tensor_create, for a tensor whose size and element are set: strides may be changed in between. */
void tensor_set_strides(tensor *self, tensor_layout layout);
void tensor_allocate(tensor *self, guard_side side, bool whole_pages);

/* True if it has no element. */
bool tensor_is_empty(const tensor *self);

/* Visits every element in logical order. */
#define FOR_EACH(tensor, a, b, c, d)                        \
    for (int64_t a = 0; a < (tensor)->size[0]; a++)         \
        for (int64_t b = 0; b < (tensor)->size[1]; b++)     \
            for (int64_t c = 0; c < (tensor)->size[2]; c++) \
                for (int64_t d = 0; d < (tensor)->size[3]; d++)

void *tensor_element(const tensor *self, int64_t a, int64_t b, int64_t c, int64_t d);

/* Elements of f32 tensors. */
float *tensor_at(const tensor *self, int64_t a, int64_t b, int64_t c, int64_t d);

/* Elements of any type: the value, that of int8 without its scale; and its replacement, rounded to the type. */
double tensor_get(const tensor *self, int64_t a, int64_t b, int64_t c, int64_t d);
void tensor_put(const tensor *self, int64_t a, int64_t b, int64_t c, int64_t d, float value);

/* Neighbours on the last axis, which is contiguous: from column d of row (a, b, c) on. */
typedef struct tensor_run {
    const tensor *tensor;
    int64_t a, b, c, d;
} tensor_run;

/* Copies `count` elements between tensors of one type. */
void tensor_copy(tensor_run to, tensor_run from, int64_t count);

/* Elements of a tensor of indices, of 4 or 8 bytes: those of the first and the last axis. */
void tensor_set_index(const tensor *self, int64_t a, int64_t d, int64_t value);
int64_t tensor_get_index(const tensor *self, int64_t a, int64_t d);

/* Uniform in [-range, range). */
void tensor_fill_random(const tensor *self, test_random *random, float range);

/* All of its memory, gaps included, becomes a NaN that no computation produces. */
void tensor_fill_unwritten(const tensor *self);

/* True if the element is that NaN. */
bool tensor_is_unwritten(const tensor *self, const void *element);

#endif
