/* Aligned memory through the host's allocator. */
#ifndef FOVEA_SRC_MEMORY_H
#define FOVEA_SRC_MEMORY_H

#include "fovea/types.h"

/* aligned malloc and free. */
extern const fovea_allocator fv_malloc_allocator;

/* `size` bytes aligned to FV_ALIGNMENT, or NULL. */
void *fv_allocate(const fovea_allocator *allocator, size_t size);

void fv_release(const fovea_allocator *allocator, void *memory, size_t size);

#endif
