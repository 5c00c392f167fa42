/* A user's C program: two keys under a zero query give the mean of their values, and a cache grows. */
#include <fovea/fovea.h>
#include <stdio.h>
#include <string.h>

/* A cache of two tokens of one head: the second is appended, turned by its position, which keeps its length. */
static int grows_a_cache(void) {
    const float key[2] = {3, 4};
    float cache[4] = {0};
    const int32_t first = 1;
    const fovea_rotation rotation = {.struct_size = sizeof rotation, .position_scale = 1e-3};
    const fovea_kv_append_args append = {.struct_size = sizeof append,
                                         .batch = 1,
                                         .heads_kv = 1,
                                         .len_new = 1,
                                         .len_kv = 2,
                                         .head_dim = 2,
                                         .k_new = key,
                                         .k_new_strides = {2, 2, 2, 1},
                                         .first_positions = &first,
                                         .k = cache,
                                         .k_strides = {4, 4, 2, 1},
                                         .rotation = &rotation};
    const fovea_rotation back = {.struct_size = sizeof back, .position_scale = -1e-3};
    const fovea_rope_args rope = {.struct_size = sizeof rope,
                                  .batch = 1,
                                  .heads_kv = 1,
                                  .len = 2,
                                  .head_dim = 2,
                                  .k = cache,
                                  .k_strides = {4, 4, 2, 1},
                                  .k_out = cache,
                                  .k_out_strides = {4, 4, 2, 1},
                                  .rotation = &back};
    if (fovea_kv_append(&append, NULL) != FOVEA_OK || fovea_rope(&rope, NULL) != FOVEA_OK) {
        fprintf(stderr, "%s\n", fovea_last_reason());
        return 4;
    }
    const float x = cache[2] - 3, y = cache[3] - 4;
    return cache[0] == 0 && x * x + y * y < 1e-10f ? 0 : 5;
}

int main(void) {
    const float q[1] = {0};
    const float k[2] = {1, 2};
    const float v[2] = {4, 8};
    float out[1] = {0};
    const fovea_attention_desc desc = {.struct_size = sizeof desc,
                                       .batch = 1,
                                       .heads_q = 1,
                                       .heads_kv = 1,
                                       .len_q = 1,
                                       .len_kv = 2,
                                       .head_dim = 1,
                                       .head_dim_v = 1};
    const fovea_attention_args args = {.struct_size = sizeof args,
                                       .len_q = 1,
                                       .len_kv = 2,
                                       .q = q,
                                       .q_strides = {1, 1, 1, 1},
                                       .k = k,
                                       .k_strides = {2, 2, 1, 1},
                                       .v = v,
                                       .v_strides = {2, 2, 1, 1},
                                       .out = out,
                                       .out_strides = {1, 1, 1, 1}};
    char version[32];
    snprintf(version, sizeof version, "%d.%d.%d", FOVEA_VERSION_MAJOR, FOVEA_VERSION_MINOR, FOVEA_VERSION_PATCH);
    if (strcmp(version, fovea_version()) != 0)
        return 1;
    if (fovea_attention(&desc, &args, NULL) != FOVEA_OK) {
        fprintf(stderr, "%s\n", fovea_last_reason());
        return 2;
    }
    return out[0] == 6.0f ? grows_a_cache() : 3;
}
