#include "geometry.h"

#include <inttypes.h>
#include <string.h>

bool axis_order_of(int32_t rank, bool length_before_head, bool joined, axis_order *order) {
    static const int32_t plain[AXES] = {AXIS_BATCH, AXIS_HEAD, AXIS_LENGTH, AXIS_WIDTH};
    static const int32_t length_first[AXES] = {AXIS_BATCH, AXIS_LENGTH, AXIS_HEAD, AXIS_WIDTH};
    /* Joined heads are an axis of the tensor that the file's shape does not show. */
    int32_t axes = rank + joined;
    order->rank = axes;
    order->joined = joined;
    if (rank < 2 || axes > AXES)
        return false;
    if (axes == 2) {
        order->axes[0] = AXIS_LENGTH;
        order->axes[1] = AXIS_WIDTH;
        return true;
    }
    memcpy(order->axes, (joined || length_before_head ? length_first : plain) + AXES - axes,
           (size_t)axes * sizeof *order->axes);
    return true;
}

void axis_order_drop(axis_order *order, int32_t axis) {
    int32_t kept = 0;
    for (int32_t i = 0; i < order->rank; i++)
        if (order->axes[i] != axis)
            order->axes[kept++] = order->axes[i];
    order->rank = kept;
}

/* Strides of a contiguous tensor; absent axes get stride 0. */
static void set_strides(const axis_order *order, tensor_view *view) {
    int64_t stride = 1;
    memset(view->strides, 0, sizeof view->strides);
    for (int32_t i = order->rank; i-- > 0;) {
        view->strides[order->axes[i]] = stride;
        stride *= view->sizes[order->axes[i]];
    }
}

bool tensor_view_of(const npy_header *header, const axis_order *order, int64_t heads, tensor_view *view) {
    for (int32_t axis = 0; axis < AXES; axis++)
        view->sizes[axis] = 1;
    for (int32_t i = 0; i < header->rank; i++)
        view->sizes[order->axes[i]] = header->shape[i];
    if (order->joined) {
        int64_t width = header->shape[header->rank - 1];
        if (width % heads)
            return false;
        view->sizes[AXIS_HEAD] = heads;
        view->sizes[AXIS_WIDTH] = width / heads;
    }
    set_strides(order, view);
    return true;
}

bool tensor_view_new(const int64_t sizes[AXES], const axis_order *order, tensor_view *view, npy_header *header) {
    int64_t bytes = (int64_t)sizeof(float);
    bool empty = false;
    for (int32_t i = 0; i < order->rank; i++) {
        int64_t size = sizes[order->axes[i]];
        empty = empty || size == 0;
        /* Zeros are left out, so that partial products fit too. */
        if (size > 0 && __builtin_mul_overflow(bytes, size, &bytes))
            return false;
    }
    memset(header, 0, sizeof *header);
    header->type = NPY_F32;
    header->data_size = empty ? 0 : (uint64_t)bytes;
    header->count = (int64_t)(header->data_size / sizeof(float));
    for (int32_t i = 0; i < order->rank; i++)
        header->shape[header->rank++] = sizes[order->axes[i]];
    if (order->joined) {
        header->rank--;
        header->shape[header->rank - 1] *= header->shape[header->rank];
    }
    memcpy(view->sizes, sizes, sizeof view->sizes);
    set_strides(order, view);
    return true;
}

bool broadcast_strides(const npy_header *header, int32_t rank, const int64_t *sizes, int64_t *strides) {
    int64_t stride = 1;
    if (header->rank > rank)
        return false;
    memset(strides, 0, (size_t)rank * sizeof *strides);
    for (int32_t i = 1; i <= header->rank; i++) {
        int64_t length = header->shape[header->rank - i];
        if (length != 1 && length != sizes[rank - i])
            return false;
        strides[rank - i] = length == 1 ? 0 : stride;
        stride *= length;
    }
    return true;
}

void format_shape(char *text, size_t size, int32_t rank, const int64_t *shape) {
    size_t length = (size_t)snprintf(text, size, "(");
    for (int32_t i = 0; i < rank && length < size; i++)
        length += (size_t)snprintf(text + length, size - length, "%s%" PRId64, i ? ", " : "", shape[i]);
    if (length < size)
        snprintf(text + length, size - length, rank == 1 ? ",)" : ")");
}
