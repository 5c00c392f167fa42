/* The last few elements of a row for instruction sets without masked loads and stores: through a copy of a whole
 * vector, so that they take the same way as the others. Include the vocabulary first.
 *
 * FV_PADDED(name, element) makes v_load_NAME_part and v_store_NAME_part, for 0 < count < V_LANES elements, out of
 * v_load_NAME and v_store_NAME. Lanes behind the loaded ones are 0. */
#ifndef FOVEA_ARCH_COMMON_PADDED_H
#define FOVEA_ARCH_COMMON_PADDED_H

#include <string.h>

#define FV_PADDED(name, element)                                                \
    static inline vf v_load_##name##_part(const element *p, int64_t count) {    \
        element part[V_LANES] = {0};                                            \
        memcpy(part, p, (size_t)count * sizeof(element));                       \
        return v_load_##name(part);                                             \
    }                                                                           \
                                                                                \
    static inline void v_store_##name##_part(element *p, int64_t count, vf x) { \
        element part[V_LANES];                                                  \
        v_store_##name(part, x);                                                \
        memcpy(p, part, (size_t)count * sizeof(element));                       \
    }

/* The same for v_true_bytes: bytes behind the last are 0. */
#define FV_PADDED_TRUE_BYTES                                                 \
    static inline vmask v_true_bytes_part(const uint8_t *p, int64_t count) { \
        uint8_t part[V_LANES] = {0};                                         \
        memcpy(part, p, (size_t)count);                                      \
        return v_true_bytes(part);                                           \
    }

#endif
