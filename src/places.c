#include "src/places.h"

#include "src/ask.h"
#include "src/integer.h"

/* Bytes of a row that are asked for, at most. */
enum { ASKED_BYTES = 256 };

/* Those of `count` rows of one page from row `key` on. */
static void take_scales(const fv_rows *rows, int64_t key, float *scale, int32_t count) {
    const float *from = fv_row_scales(rows, key);
    for (int32_t i = 0; i < count && from; i++)
        scale[i] = from[i * rows->scale_stride];
}

fv_stored fv_stored_places(const fv_rows *rows, int64_t key, int32_t count, int64_t length, fv_places *places) {
    const int64_t step = rows->stride * fv_type_bytes(rows->type);
    for (int32_t done = 0; done < count;) {
        const int32_t next = done + (int32_t)fv_keys_in_page(&rows->pages, key + done, key + count);
        take_scales(rows, key + done, places->scale + done, next - done);
        const char *row = fv_row(rows, key + done);
        for (; done < next; done++, row += step)
            places->row[done] = row;
    }
    return (fv_stored){
        .count = count,
        .length = length,
        .scales = rows->type == FOVEA_INT8 ? places->scale : NULL,
        .scale_stride = 1,
        .each = places->row,
        .each_ahead = places->row,
    };
}

void fv_ask_for_places(const fv_rows *rows, int64_t begin, int64_t end, int64_t length) {
    const int64_t bytes = fv_min64(length * fv_type_bytes(rows->type), ASKED_BYTES);
    for (int64_t key = begin; key < end; key += fv_keys_in_page(&rows->pages, key, end))
        fv_ask(fv_row(rows, key), 0, bytes);
}
