/* From the shape of a file to (batch, heads, length, width) and strides. Pure. */
#ifndef FOVEA_CLI_GEOMETRY_H
#define FOVEA_CLI_GEOMETRY_H

#include <stdbool.h>
#include <stdint.h>

#include "npy.h"

/* Axes of a tensor as the library names them. */
enum { AXIS_BATCH, AXIS_HEAD, AXIS_LENGTH, AXIS_WIDTH, AXES };

/* How files store tensors: the axes in the file's order, at most four, each AXIS_*. An axis that is left out has one
 * element. Heads that share the last axis lie side by side in it: then AXIS_HEAD comes right before AXIS_WIDTH here,
 * and `joined` is set. */
typedef struct axis_order {
    int32_t rank;
    int32_t axes[AXES];
    bool joined;
} axis_order;

typedef struct tensor_view {
    int64_t sizes[AXES];
    /* In elements. */
    int64_t strides[AXES];
} tensor_view;

/* The order for files of `rank` dimensions. False if there is none for this rank. */
bool axis_order_of(int32_t rank, bool length_before_head, bool joined, axis_order *order);

/* Leaves an axis out, if the order has it. */
void axis_order_drop(axis_order *order, int32_t axis);

/* The tensor in a file of this shape. `heads` is used if the order is joined; false if it does not divide the last
 * axis. */
bool tensor_view_of(const npy_header *header, const axis_order *order, int64_t heads, tensor_view *view);

/* The strides of a contiguous file of `sizes` in this order, and its shape. False if its bytes (of f32) do not fit. */
bool tensor_view_new(const int64_t sizes[AXES], const axis_order *order, tensor_view *view, npy_header *header);

/* Strides that broadcast an array to `rank` sizes as NumPy does: aligned at the last axis, axes of one element
 * repeated. False if the shapes do not fit. */
bool broadcast_strides(const npy_header *header, int32_t rank, const int64_t *sizes, int64_t *strides);

/* "(2, 12, 17, 32)". */
void format_shape(char *text, size_t size, int32_t rank, const int64_t *shape);

#endif
