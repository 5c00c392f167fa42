/* What `fovea run` computes, and in which shapes. */
#include <check.h>
#include <math.h>
#include <string.h>

#include "support/cli.h"

START_TEST(real_model) {
    char data[512];
    snprintf(data, sizeof data, "%s", cli_source("data/demo"));
    CLI_EXPECT(0,
               "run %s/q.npy %s/k.npy %s/v.npy --key-lengths %s/key_lengths.npy --compare %s/reference.npy -o o.npy "
               "--weights w.npy",
               data, data, data, data, data);
    ck_assert_ptr_nonnull(strstr(cli_last.out, "equal"));
    CLI_EXPECT(0, "compare w.npy %s/reference_weights.npy", data);
    CLI_EXPECT(0, "run %s/q.npy %s/k.npy %s/v.npy --mask %s/mask.npy --compare o.npy", data, data, data, data);
    CLI_EXPECT(1, "run %s/q.npy %s/k.npy %s/v.npy --compare o.npy", data, data, data);
    ck_assert_ptr_nonnull(strstr(cli_last.out, "DIFFERENT"));
    CLI_EXPECT(
        0, "run %s/q.npy %s/k.npy %s/v.npy --key-lengths %s/key_lengths.npy --isa generic --threads 1 --compare o.npy",
        data, data, data, data);
}
END_TEST

START_TEST(small_results) {
    cli_save_small();
    CLI_EXPECT(0, "run q.npy k.npy v.npy -o o.npy --lse l.npy --weights w.npy");
    cli_check_values("o.npy", 4, (float[]){2, 20, 2, 20});
    cli_check_values("l.npy", 2, (float[]){0.69314718f, 0.69314718f});
    cli_check_values("w.npy", 4, (float[]){0.5f, 0.5f, 0.5f, 0.5f});
    cli_check_shape("l.npy", CLI_SHAPE(2));
    CLI_EXPECT(0, "run q.npy k.npy v.npy -o o.npy --causal");
    cli_check_values("o.npy", 4, (float[]){1, 10, 2, 20});
    CLI_EXPECT(0, "run q.npy k.npy v.npy -o o.npy --causal top-left --quiet");
    cli_check_values("o.npy", 4, (float[]){1, 10, 2, 20});
    ck_assert_str_eq(cli_last.out, "");
    CLI_EXPECT(0, "run q.npy k.npy v.npy -o o.npy --window 0,0");
    cli_check_values("o.npy", 4, (float[]){1, 10, 3, 30});
    CLI_EXPECT(0, "run q.npy k.npy v.npy -o o.npy --window -1,-1");
    cli_check_values("o.npy", 4, (float[]){2, 20, 2, 20});
    cli_save("offsets.npy", NPY_I64, CLI_SHAPE(1), (int64_t[]){-1});
    CLI_EXPECT(0, "run q.npy k.npy v.npy -o o.npy --causal --query-offsets offsets.npy");
    cli_check_values("o.npy", 4, (float[]){0, 0, 1, 10});
    cli_save("mask.npy", NPY_BOOL, CLI_SHAPE(2), (uint8_t[]){0, 1});
    CLI_EXPECT(0, "run q.npy k.npy v.npy -o o.npy --mask mask.npy");
    cli_check_values("o.npy", 4, (float[]){3, 30, 3, 30});
    cli_save("mask.npy", NPY_U8, CLI_SHAPE(2, 1), (uint8_t[]){0, 7});
    CLI_EXPECT(0, "run q.npy k.npy v.npy -o o.npy --mask mask.npy");
    cli_check_values("o.npy", 4, (float[]){0, 0, 2, 20});
    cli_save("bias.npy", NPY_F32, CLI_SHAPE(1, 1, 2, 2), (float[]){0, -INFINITY, -INFINITY, 0});
    CLI_EXPECT(0, "run q.npy k.npy v.npy -o o.npy --bias bias.npy");
    cli_check_values("o.npy", 4, (float[]){1, 10, 3, 30});
    cli_save("lengths.npy", NPY_I32, CLI_SHAPE(1), (int32_t[]){1});
    CLI_EXPECT(0, "run q.npy k.npy v.npy -o o.npy --key-lengths lengths.npy");
    cli_check_values("o.npy", 4, (float[]){1, 10, 1, 10});
}
END_TEST

START_TEST(slopes_and_sinks) {
    const float near = 0.73105858f, far = 0.26894142f;
    cli_save_small();
    cli_save("slopes.npy", NPY_F32, CLI_SHAPE(1), (float[]){1});
    CLI_EXPECT(0, "run q.npy k.npy v.npy --weights w.npy --alibi-slopes slopes.npy");
    cli_check_values("w.npy", 4, (float[]){near, far, far, near});
    cli_save("offsets.npy", NPY_I64, CLI_SHAPE(1), (int64_t[]){1});
    CLI_EXPECT(0, "run q.npy k.npy v.npy --weights w.npy --alibi-slopes slopes.npy --query-offsets offsets.npy");
    cli_check_values("w.npy", 4, (float[]){far, near, far, near});
    cli_save_random("k3.npy", 1, CLI_SHAPE(3, 2));
    CLI_EXPECT(0, "run q.npy k3.npy k3.npy --weights t.npy --alibi-slopes slopes.npy --diagonal top-left");
    CLI_EXPECT(0, "run q.npy k3.npy k3.npy --weights w.npy --alibi-slopes slopes.npy");
    CLI_EXPECT(1, "compare w.npy t.npy");

    cli_save("sinks.npy", NPY_F32, CLI_SHAPE(1), (float[]){0.69314718f});
    CLI_EXPECT(0, "run q.npy k.npy v.npy -o o.npy --lse l.npy --weights w.npy --sinks sinks.npy");
    cli_check_values("o.npy", 4, (float[]){1, 10, 1, 10});
    cli_check_values("l.npy", 2, (float[]){1.3862944f, 1.3862944f});
    cli_check_values("w.npy", 4, (float[]){0.25f, 0.25f, 0.25f, 0.25f});
}
END_TEST

START_TEST(kinds_of_weights) {
    const float capped[2] = {0.76159416f, 0.96402758f}, shifted = 0.5f;
    cli_save_small();
    cli_save("q.npy", NPY_F32, CLI_SHAPE(2, 2), (float[]){1, 0, 0, 1});
    cli_save("k.npy", NPY_F32, CLI_SHAPE(2, 2), (float[]){2, 0, 0, 4});
    cli_save("slopes.npy", NPY_F32, CLI_SHAPE(1, 1), &shifted);
    static const char line[] = "run q.npy k.npy v.npy --scale 0.5 --softcap 1 --causal --alibi-slopes slopes.npy "
                               "--weights w.npy --weights-kind";
    CLI_EXPECT(0, "%s scaled-scores", line);
    cli_check_values("w.npy", 4, (float[]){1, 0, 0, 2});
    CLI_EXPECT(0, "%s capped-scores", line);
    cli_check_values("w.npy", 4, (float[]){capped[0], 0, 0, capped[1]});
    CLI_EXPECT(0, "%s masked-scores", line);
    cli_check_values("w.npy", 4, (float[]){capped[0], -INFINITY, -shifted, capped[1]});
    CLI_EXPECT(0, "%s probabilities", line);
    const float p = 1 / (1 + expf(-shifted - capped[1]));
    cli_check_values("w.npy", 4, (float[]){1, 0, 1 - p, p});
}
END_TEST

/* Means over heads have no head axis, however the files have theirs. */
START_TEST(means_over_heads) {
    const float zero[16] = {0}, mean[8] = {0.375f, 0.375f, 0.375f, 0.375f, 0.375f, 0.375f, 0.375f, 0.375f};
    static const char line[] =
        "run q.npy q.npy q.npy --sinks sinks.npy --weights w.npy --weights-kind mean-probabilities";
    cli_save("sinks.npy", NPY_F32, CLI_SHAPE(2), (float[]){-INFINITY, 0.69314718f});
    cli_save("q.npy", NPY_F32, CLI_SHAPE(2, 2, 2), zero);
    CLI_EXPECT(0, "%s", line);
    cli_check_shape("w.npy", CLI_SHAPE(2, 2));
    cli_check_values("w.npy", 4, mean);
    cli_save("q.npy", NPY_F32, CLI_SHAPE(2, 2, 2, 2), zero);
    CLI_EXPECT(0, "%s --layout bshd", line);
    cli_check_shape("w.npy", CLI_SHAPE(2, 2, 2));
    cli_check_values("w.npy", 8, mean);
    cli_save("q.npy", NPY_F32, CLI_SHAPE(2, 4), zero);
    CLI_EXPECT(0, "%s --heads 2", line);
    cli_check_shape("w.npy", CLI_SHAPE(2, 2));
    cli_save("q.npy", NPY_F32, CLI_SHAPE(2, 2, 4), zero);
    CLI_EXPECT(0, "%s --heads 2", line);
    cli_check_shape("w.npy", CLI_SHAPE(2, 2, 2));
    cli_save("q.npy", NPY_F32, CLI_SHAPE(2, 2), zero);
    cli_save("sinks.npy", NPY_F32, CLI_SHAPE(1), (float[]){0.69314718f});
    CLI_EXPECT(0, "%s", line);
    cli_check_shape("w.npy", CLI_SHAPE(2, 2));
    cli_check_values("w.npy", 4, (float[]){0.25f, 0.25f, 0.25f, 0.25f});
}
END_TEST

/* The same numbers through every layout give the same result. */
START_TEST(layouts) {
    enum { B = 2, S = 5, H = 4, G = 2, D = 3, E = 2 };
    float q[B][H][S][D], k[B][G][S][D], v[B][G][S][E], qt[B][S][H][D], kt[B][S][G][D], vt[B][S][G][E];
    for (int b = 0; b < B; b++)
        for (int s = 0; s < S; s++)
            for (int h = 0; h < H; h++) {
                for (int d = 0; d < D; d++)
                    qt[b][s][h][d] = q[b][h][s][d] = sinf((float)(b * 61 + s * 17 + h * 5 + d));
                for (int d = 0; d < D && h < G; d++)
                    kt[b][s][h][d] = k[b][h][s][d] = cosf((float)(b * 13 + s * 7 + h * 3 + d));
                for (int d = 0; d < E && h < G; d++)
                    vt[b][s][h][d] = v[b][h][s][d] = (float)(b + s * 2 + h * 3 + d);
            }
    cli_save("q.npy", NPY_F32, CLI_SHAPE(B, H, S, D), q);
    cli_save("k.npy", NPY_F32, CLI_SHAPE(B, G, S, D), k);
    cli_save("v.npy", NPY_F32, CLI_SHAPE(B, G, S, E), v);
    CLI_EXPECT(0, "run q.npy k.npy v.npy -o o.npy --lse l.npy");
    cli_check_shape("o.npy", CLI_SHAPE(B, H, S, E));
    cli_check_shape("l.npy", CLI_SHAPE(B, H, S));
    cli_save("q.npy", NPY_F32, CLI_SHAPE(B, S, H, D), qt);
    cli_save("k.npy", NPY_F32, CLI_SHAPE(B, S, G, D), kt);
    cli_save("v.npy", NPY_F32, CLI_SHAPE(B, S, G, E), vt);
    CLI_EXPECT(0, "run q.npy k.npy v.npy --layout bshd -o t.npy --lse lt.npy");
    cli_check_shape("t.npy", CLI_SHAPE(B, S, H, E));
    CLI_EXPECT(0, "compare l.npy lt.npy --tolerance 0");
    cli_save("q.npy", NPY_F32, CLI_SHAPE(B, S, H * D), qt);
    cli_save("k.npy", NPY_F32, CLI_SHAPE(B, S, G * D), kt);
    cli_save("v.npy", NPY_F32, CLI_SHAPE(B, S, G * E), vt);
    CLI_EXPECT(0, "run q.npy k.npy v.npy --heads 4 --heads-kv 2 -o j.npy --weights w.npy");
    cli_check_shape("j.npy", CLI_SHAPE(B, S, H * E));
    cli_check_shape("w.npy", CLI_SHAPE(B, H, S, S));
    CLI_EXPECT(0, "run q.npy k.npy v.npy --heads 4 -o j2.npy");
    /* Weights take the way of two passes, which need not give the same bits. */
    CLI_EXPECT(0, "compare j.npy j2.npy --tolerance 1e-5");

    npy_array o = cli_load("o.npy"), t = cli_load("t.npy"), j = cli_load("j2.npy");
    const float *plain = o.data;
    ck_assert_mem_eq(t.data, j.data, sizeof(float) * B * S * H * E);
    for (int b = 0; b < B; b++)
        for (int h = 0; h < H; h++)
            for (int s = 0; s < S; s++)
                ck_assert_mem_eq(plain + ((b * H + h) * S + s) * E, (float *)t.data + ((b * S + s) * H + h) * E,
                                 sizeof(float) * E);
    npy_free(&o);
    npy_free(&t);
    npy_free(&j);
    /* One sequence and no batch axis: heads first. */
    cli_save("q.npy", NPY_F32, CLI_SHAPE(H, S, D), q);
    cli_save("k.npy", NPY_F32, CLI_SHAPE(G, S, D), k);
    cli_save("v.npy", NPY_F32, CLI_SHAPE(G, S, E), v);
    CLI_EXPECT(0, "run q.npy k.npy v.npy -o o3.npy --weights w.npy");
    cli_check_shape("o3.npy", CLI_SHAPE(H, S, E));
    cli_check_shape("w.npy", CLI_SHAPE(H, S, S));
}
END_TEST

START_TEST(empty) {
    cli_save_random("q.npy", 1, CLI_SHAPE(0, 4));
    cli_save_random("k.npy", 2, CLI_SHAPE(3, 4));
    cli_save_random("v.npy", 3, CLI_SHAPE(3, 2));
    CLI_EXPECT(0, "run q.npy k.npy v.npy -o o.npy --weights w.npy");
    cli_check_shape("o.npy", CLI_SHAPE(0, 2));
    cli_check_shape("w.npy", CLI_SHAPE(0, 3));
    CLI_EXPECT(0, "run k.npy q.npy q.npy -o o.npy");
    cli_check_values("o.npy", 12, (float[12]){0});
    cli_save_random("none.npy", 4, CLI_SHAPE(0, 2, 3, 4));
    CLI_EXPECT(0, "run none.npy none.npy none.npy -o o.npy --lse l.npy");
    cli_check_shape("l.npy", CLI_SHAPE(0, 2, 3));
}
END_TEST

Suite *cli_run_suite(void);

Suite *cli_run_suite(void) {
    Suite *suite = suite_create("cli_run");
    cli_add(suite, "real_model", real_model);
    cli_add(suite, "small_results", small_results);
    cli_add(suite, "slopes_and_sinks", slopes_and_sinks);
    cli_add(suite, "kinds_of_weights", kinds_of_weights);
    cli_add(suite, "means_over_heads", means_over_heads);
    cli_add(suite, "layouts", layouts);
    cli_add(suite, "empty", empty);
    return suite;
}
