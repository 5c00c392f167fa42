#include "src/copy.h"

#include <string.h>

#include "src/elements.h"
#include "src/integer.h"

/* Elements of a piece: few enough to stay in the first-level cache with what becomes of them. */
enum { PIECE = 2 * FV_HELD_PAIRS };

/* What is read at once: a part of the row that stays as it is, or both elements of some pairs, in one or two spans. */
typedef struct row_piece {
    int64_t elements;
    /* Pairs from `pair` on; none: 0. */
    int64_t pair;
    int64_t pairs;
    int32_t spans;
    int64_t at[2];
    int64_t count[2];
    /* The elements of each span in f32, where they lie or in `room`. */
    const float *values[2];
    float room[PIECE];
} row_piece;

/* Elements at the beginning of the row that are turned. */
static int64_t turned_elements(const fv_row_copy *copy) {
    return copy->rotor ? 2 * copy->rotor->pairs : 0;
}

/* The place of the piece that comes after `done` elements. */
static void find_piece(const fv_row_copy *copy, int64_t done, row_piece *piece) {
    const int64_t turned = turned_elements(copy);
    piece->spans = 1;
    piece->pairs = 0;
    piece->at[0] = done;
    if (done >= turned) {
        piece->elements = piece->count[0] = fv_min64(copy->count - done, PIECE);
        return;
    }
    piece->pair = done / 2;
    piece->pairs = fv_min64(copy->rotor->pairs - piece->pair, FV_HELD_PAIRS);
    piece->elements = piece->count[0] = 2 * piece->pairs;
    if (copy->rotor->rotation->layout == FOVEA_ROPE_INTERLEAVED)
        return;
    piece->spans = 2;
    piece->at[0] = piece->pair;
    piece->at[1] = copy->rotor->pairs + piece->pair;
    piece->count[0] = piece->count[1] = piece->pairs;
}

static void turn_piece(const fv_row_copy *copy, row_piece *piece) {
    const fv_rotary_kernels *kernels = copy->backend->rotary;
    fv_rotor *rotor = copy->rotor;
    float *second = piece->room + FV_HELD_PAIRS;
    fv_rotor_hold(rotor, piece->pair, piece->pairs);
    if (piece->spans == 1)
        kernels->rotate_pairs(piece->values[0], rotor->cosines, rotor->sines, piece->pairs, piece->room);
    else
        kernels->rotate_halves(piece->values[0], piece->values[1], rotor->cosines, rotor->sines, piece->pairs,
                               piece->room, second);
    piece->values[0] = piece->room;
    piece->values[1] = second;
}

/* Returns the elements of the piece. */
static int64_t read_piece(const fv_row_copy *copy, int64_t done, row_piece *piece) {
    find_piece(copy, done, piece);
    for (int32_t i = 0; i < piece->spans; i++) {
        const void *from = fv_element(copy->from, copy->from_type, piece->at[i]);
        float *room = piece->room + i * FV_HELD_PAIRS;
        piece->values[i] = copy->from_type == FOVEA_F32 ? from : room;
        if (copy->from_type != FOVEA_F32)
            fv_widen(copy->backend->convert, copy->from_type, from, 1.0f, piece->count[i], room);
    }
    if (piece->pairs > 0)
        turn_piece(copy, piece);
    return piece->elements;
}

/* max |x| / 127 over the row; NaN if it holds a NaN or an infinity. Leaves the last piece that was read. */
static float int8_scale(const fv_row_copy *copy, row_piece *piece) {
    float largest = 0.0f;
    for (int64_t done = 0; done < copy->count;) {
        done += read_piece(copy, done, piece);
        for (int32_t i = 0; i < piece->spans; i++) {
            float magnitude = copy->backend->convert->magnitude(piece->values[i], piece->count[i]);
            if (magnitude != magnitude)
                return magnitude;
            largest = magnitude > largest ? magnitude : largest;
        }
    }
    return largest / 127.0f;
}

static void write_piece(const fv_row_copy *copy, const row_piece *piece, float scale) {
    const fv_convert_kernels *kernels = copy->backend->convert;
    for (int32_t i = 0; i < piece->spans; i++) {
        void *to = fv_element_out(copy->to, copy->to_type, piece->at[i]);
        if (copy->to_type == FOVEA_INT8)
            kernels->narrow_int8(piece->values[i], piece->count[i], scale, to);
        else
            fv_narrow(kernels, copy->to_type, piece->values[i], piece->count[i], to);
    }
}

/* Elements [begin, count) as bits. */
static void copy_bits(const fv_row_copy *copy, int64_t begin) {
    const void *from = fv_element(copy->from, copy->from_type, begin);
    void *to = fv_element_out(copy->to, copy->to_type, begin);
    if (from != to && begin < copy->count)
        memcpy(to, from, (size_t)((copy->count - begin) * fv_type_bytes(copy->from_type)));
}

void fv_copy_row(const fv_row_copy *copy) {
    row_piece piece;
    int64_t converted = copy->count;
    float scale = 1.0f;
    piece.elements = 0;
    if (copy->to_type == copy->from_type) {
        converted = turned_elements(copy);
        copy_bits(copy, converted);
    }
    if (copy->to_type == FOVEA_INT8)
        *copy->scale = scale = int8_scale(copy, &piece);
    /* A short row was read as a whole for its scale. */
    const int32_t is_read = copy->to_type == FOVEA_INT8 && piece.elements == copy->count;
    for (int64_t done = 0; done < converted; done += piece.elements) {
        if (!is_read)
            read_piece(copy, done, &piece);
        write_piece(copy, &piece, scale);
    }
}
