/* Asking for the rows that will be needed next (fv_ahead in arch/kernel.h). */
#ifndef FOVEA_ARCH_COMMON_AHEAD_H
#define FOVEA_ARCH_COMMON_AHEAD_H

#include "arch/kernel.h"

static inline void ask_for_line(uintptr_t address) {
    __builtin_prefetch((const void *)address, 0, 2);
}

/* One row of keys and one of values. */
static inline void ask_ahead(fv_ahead *ahead) {
    enum { LINE_BYTES = 64 };
    if (ahead == NULL || ahead->rows == 0)
        return;
    for (int64_t i = 0; i < ahead->k_bytes; i += LINE_BYTES)
        ask_for_line(ahead->k + (uintptr_t)i);
    for (int64_t i = 0; i < ahead->v_bytes; i += LINE_BYTES)
        ask_for_line(ahead->v + (uintptr_t)i);
    ahead->k += (uintptr_t)ahead->k_step;
    ahead->v += (uintptr_t)ahead->v_step;
    ahead->rows--;
}

#endif
