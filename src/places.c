#include "src/places.h"

fv_stored fv_stored_places(const fv_rows *rows, int64_t key, int32_t count, int64_t length, fv_places *places) {
    const int64_t step = rows->stride * fv_type_bytes(rows->type);
    for (int32_t done = 0; done < count;) {
        const int32_t next = done + (int32_t)fv_keys_in_page(&rows->pages, key + done, key + count);
        const char *row = fv_row(rows, key + done);
        for (; done < next; done++, row += step)
            places->row[done] = row;
    }
    return (fv_stored){.count = count, .length = length, .each = places->row, .each_ahead = places->row};
}
