#include "allocators.h"

#include <check.h>

static void *no_memory(void *context, size_t size, size_t alignment) {
    (void)context;
    (void)size;
    (void)alignment;
    return NULL;
}

static void never_released(void *context, void *pointer, size_t size) {
    (void)context;
    (void)pointer;
    (void)size;
    ck_abort_msg("memory that was never given was released");
}

fovea_allocator allocator_without_memory(void) {
    return (fovea_allocator){.struct_size = sizeof(fovea_allocator), .allocate = no_memory, .release = never_released};
}
