#include "src/copy.h"

#include <string.h>

#include "src/elements.h"
#include "src/integer.h"

/* Elements of a piece: few enough to stay in the first-level cache with what becomes of them. */
enum { PIECE = 512 };

/* Elements [at, at + count) of the row as f32: in place, or widened into `room`. */
static const float *read_piece(const fv_row_copy *copy, int64_t at, int64_t count, float *room) {
    const void *from = fv_element(copy->from, copy->from_type, at);
    if (copy->from_type == FOVEA_F32)
        return from;
    fv_widen(copy->kernels, copy->from_type, from, 1.0f, count, room);
    return room;
}

/* max |x| / 127 over the row; NaN if it holds a NaN or an infinity. */
static float int8_scale(const fv_row_copy *copy) {
    float room[PIECE], largest = 0.0f;
    for (int64_t at = 0; at < copy->count; at += PIECE) {
        int64_t count = fv_min64(copy->count - at, PIECE);
        float magnitude = copy->kernels->magnitude(read_piece(copy, at, count, room), count);
        /* NaN is not less or equal, and stays. */
        if (!(magnitude <= largest))
            largest = magnitude;
        if (magnitude != magnitude)
            break;
    }
    return largest / 127.0f;
}

static void narrow_piece(const fv_row_copy *copy, const float *piece, int64_t count, float scale, void *to) {
    if (copy->to_type == FOVEA_INT8)
        copy->kernels->narrow_int8(piece, count, scale, to);
    else
        fv_narrow(copy->kernels, copy->to_type, piece, count, to);
}

void fv_copy_row(const fv_row_copy *copy) {
    if (copy->to_type == copy->from_type) {
        memcpy(copy->to, copy->from, (size_t)(copy->count * fv_type_bytes(copy->from_type)));
        return;
    }
    float scale = 1.0f;
    if (copy->to_type == FOVEA_INT8)
        *copy->scale = scale = int8_scale(copy);
    float room[PIECE];
    for (int64_t at = 0; at < copy->count; at += PIECE) {
        int64_t count = fv_min64(copy->count - at, PIECE);
        narrow_piece(copy, read_piece(copy, at, count, room), count, scale,
                     fv_element_out(copy->to, copy->to_type, at));
    }
}
