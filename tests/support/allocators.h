/* Allocators that hosts may have. */
#ifndef FOVEA_TESTS_ALLOCATORS_H
#define FOVEA_TESTS_ALLOCATORS_H

#include "fovea/types.h"

/* It gives nothing, and fails the test if something is given back. */
fovea_allocator allocator_without_memory(void);

#endif
