/* Memory that notices stray accesses: pages without any access on both sides, canaries between them and the data. */
#ifndef FOVEA_TESTS_GUARD_H
#define FOVEA_TESTS_GUARD_H

#include <stdbool.h>
#include <stddef.h>

/* Which end of the data touches a forbidden page exactly (the other one has canaries before its own forbidden page). */
typedef enum guard_side { GUARD_AFTER, GUARD_BEFORE } guard_side;

typedef struct guarded {
    void *data;
    size_t size;
    unsigned char *pages;
    size_t pages_size;
} guarded;

/* `size` bytes aligned to `alignment` (a power of two, at most a page). With GUARD_AFTER the data ends at the forbidden
 * page as closely as the alignment permits: exactly, where size is a multiple of it. Aborts the test without memory. */
guarded guarded_create(size_t size, size_t alignment, guard_side side);

/* False if a byte outside the data was written. */
bool guarded_intact(const guarded *memory);

/* From here on, writing to it faults. */
void guarded_make_read_only(const guarded *memory);

/* Takes guarded_make_read_only back. */
void guarded_make_writable(const guarded *memory);

/* From here on, any access to whole pages within data + [begin, begin + size) faults. */
void guarded_forbid(const guarded *memory, size_t begin, size_t size);

void guarded_destroy(guarded *memory);

size_t test_page_size(void);

#endif
