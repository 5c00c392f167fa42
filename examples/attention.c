#include <fovea/fovea.h>
#include <stdio.h>

enum { HEADS = 8, LEN = 128, DIM = 64 };
static float q[HEADS][LEN][DIM], k[HEADS][LEN][DIM], v[HEADS][LEN][DIM], out[HEADS][LEN][DIM];

int main(void) {
    /* What to compute ... */
    fovea_attention_desc desc = {.struct_size = sizeof desc, .batch = 1, .causal = 1};
    desc.heads_q = desc.heads_kv = HEADS;
    desc.len_q = desc.len_kv = LEN;
    desc.head_dim = desc.head_dim_v = DIM;

    /* ... and where it is. Strides of (batch, head, row, element) tell any layout. */
    const int64_t strides[4] = {HEADS * LEN * DIM, LEN * DIM, DIM, 1};
    fovea_attention_args args = {.struct_size = sizeof args, .len_q = LEN, .len_kv = LEN};
    args.q = q, args.k = k, args.v = v, args.out = out;
    for (int axis = 0; axis < 4; axis++)
        args.q_strides[axis] = args.k_strides[axis] = args.v_strides[axis] = args.out_strides[axis] = strides[axis];

    for (int key = 0; key < LEN; key++)
        v[0][key][0] = (float)key;
    if (fovea_attention(&desc, &args, NULL) != FOVEA_OK)
        return fprintf(stderr, "%s\n", fovea_last_reason()), 1;
    /* All scores are equal here, so row 10 is the mean of the values 0 ... 10. */
    printf("fovea %s on %s: %.3f\n", fovea_version(), fovea_cpu_name(), (double)out[0][10][0]);
    return 0;
}
