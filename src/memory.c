#include "src/memory.h"

#include <stdlib.h>

#include "arch/kernel.h"

static void *aligned_malloc(void *context, size_t size, size_t alignment) {
    (void)context;
    void *memory = NULL;
    return posix_memalign(&memory, alignment, size) == 0 ? memory : NULL;
}

static void aligned_free(void *context, void *memory, size_t size) {
    (void)context;
    (void)size;
    free(memory);
}

const fovea_allocator fv_malloc_allocator = {
    .struct_size = sizeof(fovea_allocator),
    .allocate = aligned_malloc,
    .release = aligned_free,
};

void *fv_allocate(const fovea_allocator *allocator, size_t size) {
    return allocator->allocate(allocator->context, size, FV_ALIGNMENT);
}

void fv_release(const fovea_allocator *allocator, void *memory, size_t size) {
    allocator->release(allocator->context, memory, size);
}
