/* A user's C program: two keys under a zero query give the mean of their values. */
#include <fovea/fovea.h>
#include <stdio.h>
#include <string.h>

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
    return out[0] == 6.0f ? 0 : 3;
}
