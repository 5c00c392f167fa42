/* f32 among the stored types: the name by which templates over them load and store it. Include the vocabulary first. */
#ifndef FOVEA_ARCH_COMMON_F32_H
#define FOVEA_ARCH_COMMON_F32_H

static inline vf v_load_f32(const float *p) {
    return v_load(p);
}

static inline void v_store_f32(float *p, vf x) {
    v_store(p, x);
}

#endif
