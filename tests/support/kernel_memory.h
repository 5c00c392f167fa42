/* Operands of kernel tests: guarded, and arranged as kernels want them.
 *
 * A test states its data in COLUMNS (one a query lane) and lets an arrangement place them into a panel: which lanes,
 * how many vectors, how long the rows. Lanes without a column hold garbage, so that a kernel that mixes lanes shows. */
#ifndef FOVEA_TESTS_KERNEL_MEMORY_H
#define FOVEA_TESTS_KERNEL_MEMORY_H

#include <stdint.h>

#include "arch/kernel.h"
#include "guard.h"
#include "random.h"

enum { KERNEL_MEMORY_MOST = 256 };

/* All operands of one kernel call. */
typedef struct kernel_memory {
    test_random *random;
    int32_t count;
    guarded buffers[KERNEL_MEMORY_MOST];
} kernel_memory;

kernel_memory kernel_memory_create(test_random *random);

/* `count` elements, uninitialised; the guard lies on a random side. */
float *take_floats(kernel_memory *self, int64_t count, size_t alignment);
void *take_bytes(kernel_memory *self, int64_t size, size_t alignment);

/* The same, filled with numbers in [-range, range). */
float *take_random(kernel_memory *self, int64_t count, size_t alignment, float range);

/* Rows of `columns` elements at a random stride (contiguous, with gaps, huge, negative); gaps hold NaN. *stride in
 * elements; the result points to row 0. */
float *take_rows(kernel_memory *self, int64_t rows, int64_t columns, float range, int64_t *stride);

/* Fails the test if a canary was overwritten; frees everything. */
void kernel_memory_end(kernel_memory *self);

/* Where columns stand in a panel. */
typedef struct arrangement {
    int32_t ld;
    int32_t lanes;
    int32_t vectors;
    int32_t columns;
    /* Column c stands in lane place[c] < vectors * lanes. */
    int32_t place[FV_MAX_LANES];
} arrangement;

/* A random one for `columns` columns, on a panel of rows at least `vectors` long; with `whole`, of exactly that length.
 */
arrangement arrangement_random(const fv_panel_kernels *kernels, int32_t columns, bool whole, test_random *random);

/* A panel of `rows` rows that holds columns[row * arrangement.columns + c] and garbage elsewhere. It begins with the
 * first vector that the kernel may touch and ends with the last. */
float *take_panel(kernel_memory *self, const arrangement *where, int64_t rows, const float *columns);

/* One row of lane values; not longer than the vectors in use. */
float *take_lanes(kernel_memory *self, const arrangement *where, const float *columns);
int32_t *take_lane_numbers(kernel_memory *self, const arrangement *where, const int32_t *columns);

/* Reads the columns back. */
void gather_panel(const arrangement *where, int64_t rows, const float *panel, float *columns);

/* True if all elements of a panel but those of the vectors in use are bitwise the same. */
bool same_beside(const arrangement *where, int64_t rows, const float *panel, const float *before);

/* A plain copy, to be freed by kernel_memory_end: size of the panel from its first to its last touchable element. */
float *take_copy(kernel_memory *self, const arrangement *where, int64_t rows, const float *panel);

/* Bitwise equality, except that any NaN equals any NaN, and the zeros each other. */
bool same_floats(int64_t count, const float *a, const float *b);

#endif
