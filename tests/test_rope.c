/* Rotary embeddings: the kernels of every backend, and whole calls, against long double. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fovea/fovea.h"
#include "support/backends.h"
#include "support/executors.h"
#include "support/rope_case.h"

/* --- Kernels --- */

enum { LONGEST = 70 };

START_TEST(frequencies_are_powers_of_the_base) {
    const fv_rotary_kernels *kernels = backend_at(_i)->rotary;
    test_random random = test_random_named("frequencies", _i);
    for (int64_t count = 0; count <= LONGEST; count++) {
        kernel_memory memory = kernel_memory_create(&random);
        double *frequencies = take_bytes(&memory, count * (int64_t)sizeof(double), sizeof(double));
        const double slope = (double)random_float(&random, -0.4f, 0);
        const int64_t first = random_between(&random, 0, 40);
        kernels->frequencies(slope, first, count, frequencies);
        for (int64_t i = 0; i < count; i++) {
            const long double expected = exp2l((long double)slope * (long double)(first + i));
            ck_assert(fabsl((long double)frequencies[i] / expected - 1) < 1e-14L);
        }
        kernel_memory_end(&memory);
    }
}
END_TEST

/* The largest error of cosines and sines of random angles at positions up to `most`. */
static double angle_error(const fv_rotary_kernels *kernels, int64_t count, double most, test_random *random) {
    kernel_memory memory = kernel_memory_create(random);
    double *frequencies = take_bytes(&memory, count * (int64_t)sizeof(double), sizeof(double));
    float *cosines = take_floats(&memory, count, sizeof(float)), *sines = take_floats(&memory, count, sizeof(float));
    const double position = rint(most * (double)random_float(random, -1, 1));
    for (int64_t i = 0; i < count; i++) {
        frequencies[i] = (double)random_float(random, 0, 1);
    }
    kernels->angles(position, frequencies, count, 1, cosines, sines);
    double worst = 0;
    for (int64_t i = 0; i < count; i++) {
        const long double angle = (long double)position * (long double)frequencies[i];
        worst = fmax(worst, (double)fabsl(cosl(angle) - (long double)cosines[i]));
        worst = fmax(worst, (double)fabsl(sinl(angle) - (long double)sines[i]));
    }
    kernel_memory_end(&memory);
    return worst;
}

START_TEST(angles_are_accurate_at_positions_up_to_a_million) {
    test_random random = test_random_named("angles", _i);
    double worst = 0;
    for (int64_t i = 0; i < test_scaled(1000); i++) {
        worst = fmax(worst, angle_error(backend_at(_i)->rotary, i % LONGEST, i % 2 ? 1e6 : 1e3, &random));
    }
    ck_assert_msg(worst <= 3.1e-8, "%s: %.3g", backend_at(_i)->name, worst);
}
END_TEST

/* Turns `count` random pairs by both kernels, in place and not; all give the bits of one pair alone. */
static void check_turns(const fv_rotary_kernels *kernels, int64_t count, test_random *random) {
    kernel_memory memory = kernel_memory_create(random);
    const size_t element = sizeof(float);
    float *first = take_random(&memory, count, element, 3), *second = take_random(&memory, count, element, 3);
    float *cosines = take_random(&memory, count, element, 1), *sines = take_random(&memory, count, element, 1);
    float *first_out = take_floats(&memory, count, element), *second_out = take_floats(&memory, count, element);
    float *pairs = take_floats(&memory, 2 * count, element), *pairs_out = take_floats(&memory, 2 * count, element);
    for (int64_t i = 0; i < count; i++) {
        if (random_chance(random, 0.05)) {
            first[i] = random_hostile(random);
        }
        pairs[2 * i] = first[i];
        pairs[2 * i + 1] = second[i];
    }
    kernels->rotate_halves(first, second, cosines, sines, count, first_out, second_out);
    kernels->rotate_pairs(pairs, cosines, sines, count, pairs_out);
    for (int64_t i = 0; i < count; i++) {
        float x, y;
        kernels->rotate_halves(first + i, second + i, cosines + i, sines + i, 1, &x, &y);
        ck_assert(same_floats(1, &x, &first_out[i]) && same_floats(1, &y, &second_out[i]));
        ck_assert(same_floats(1, &x, &pairs_out[2 * i]) && same_floats(1, &y, &pairs_out[2 * i + 1]));
        const double a = (double)first[i], b = (double)second[i], c = (double)cosines[i], s = (double)sines[i];
        const double room = (fabs(a) + fabs(b)) * 2.1 * 0x1p-24 + 0x1p-148;
        if (isfinite(a) && fabs(a) < 1e37) {
            ck_assert(fabs((double)x - (a * c - b * s)) <= room && fabs((double)y - (b * c + a * s)) <= room);
        } else if (!isfinite(a)) {
            ck_assert(!isfinite(x) && !isfinite(y));
        }
    }
    kernels->rotate_halves(first, second, cosines, sines, count, first, second);
    kernels->rotate_pairs(pairs, cosines, sines, count, pairs);
    ck_assert(same_floats(count, first, first_out) && same_floats(count, second, second_out));
    ck_assert(same_floats(2 * count, pairs, pairs_out));
    kernel_memory_end(&memory);
}

START_TEST(pairs_are_turned_at_every_length_in_place_and_not) {
    test_random random = test_random_named("turns", _i);
    for (int64_t count = 0; count <= LONGEST; count++) {
        check_turns(backend_at(_i)->rotary, count, &random);
    }
}
END_TEST

/* --- Whole calls --- */

START_TEST(random_calls_turn_what_they_must_and_nothing_else) {
    test_random random = test_random_named("rope", _i);
    for (int64_t i = 0; i < test_scaled(120); i++) {
        rope_case *self = rope_create(&random, RANDOM_OF(&random, 1, 5, 20), backend_at(_i)->isa);
        test_executor pool;
        test_executor_init(&pool, EXECUTOR_DEFAULT, 2, 0);
        const fovea_status status = rope_run(self, test_executor_get(&pool));
        ck_assert_msg(status == FOVEA_OK, "%s", fovea_last_reason());
        rope_check(self);
        rope_destroy(self);
    }
}
END_TEST

static void fill(float *to, int64_t count, test_random *random) {
    for (int64_t i = 0; i < count; i++) {
        to[i] = random_float(random, -1, 1);
    }
}

/* A single head in f32: what the smaller tests turn. */
static void turn_rows(float *rows, int64_t len, int64_t dim, const fovea_rotation *rotation, fovea_isa isa) {
    fovea_rope_args args = {.struct_size = sizeof args, .batch = 1, .heads_q = 1, .len = len, .head_dim = dim};
    args.q = args.q_out = rows;
    args.q_strides[2] = args.q_out_strides[2] = dim;
    args.q_strides[3] = args.q_out_strides[3] = 1;
    args.rotation = rotation;
    args.isa_cap = isa;
    ck_assert_msg(fovea_rope(&args, NULL) == FOVEA_OK, "%s", fovea_last_reason());
}

static double product(const float *a, const float *b, int64_t count) {
    double sum = 0;
    for (int64_t i = 0; i < count; i++) {
        sum += (double)a[i] * (double)b[i];
    }
    return sum;
}

START_TEST(products_depend_on_the_distance_of_positions_alone) {
    enum { DIM = 64 };
    test_random random = test_random_named("rope distance", _i);
    const int64_t positions[][2] = {{5, 2}, {1003, 1000}, {999999, 999996}};
    for (int layout = FOVEA_ROPE_HALF_SPLIT; layout <= FOVEA_ROPE_INTERLEAVED; layout++) {
        float q[DIM], k[DIM];
        fill(q, DIM, &random);
        fill(k, DIM, &random);
        double products[3];
        for (int i = 0; i < 3; i++) {
            float rows[2][DIM];
            memcpy(rows[0], q, sizeof q);
            memcpy(rows[1], k, sizeof k);
            const fovea_rotation rotation = {.struct_size = sizeof rotation,
                                             .layout = (fovea_rope_layout)layout,
                                             .positions = positions[i],
                                             .position_strides = {0, 1},
                                             .type_positions = FOVEA_INDEX_INT64};
            turn_rows(rows[0], 2, DIM, &rotation, backend_at(_i)->isa);
            products[i] = product(rows[0], rows[1], DIM);
        }
        ck_assert(fabs(products[1] - products[0]) < 1e-5 && fabs(products[2] - products[0]) < 1e-5);
    }
}
END_TEST

START_TEST(a_negative_scale_turns_back) {
    enum { LEN = 9, DIM = 22 };
    test_random random = test_random_named("rope back", _i);
    float rows[LEN * DIM], before[LEN * DIM];
    fill(rows, LEN * DIM, &random);
    memcpy(before, rows, sizeof rows);
    fovea_rotation rotation = {.struct_size = sizeof rotation, .rotary_dim = 20};
    turn_rows(rows, LEN, DIM, &rotation, backend_at(_i)->isa);
    ck_assert_mem_eq(rows, before, DIM * sizeof(float));
    ck_assert_mem_ne(rows + DIM, before + DIM, 20 * sizeof(float));
    rotation.position_scale = -1;
    turn_rows(rows, LEN, DIM, &rotation, backend_at(_i)->isa);
    for (int i = 0; i < LEN * DIM; i++) {
        ck_assert(fabsf(rows[i] - before[i]) < 1e-6f);
    }
}
END_TEST

/* A double that holds a position there does not tell neighbours apart. */
START_TEST(positions_do_not_go_beyond_the_last_number) {
    enum { LEN = 3, DIM = 6 };
    const fovea_rotation rotation = {.struct_size = sizeof rotation};
    const int64_t first = INT64_MAX - 1;
    float rows[LEN][DIM] = {{1, 2, 3, 4, 5, 6}, {1, 2, 3, 4, 5, 6}, {1, 2, 3, 4, 5, 6}};
    fovea_rope_args args = {.struct_size = sizeof args, .batch = 1, .heads_q = 1, .len = LEN, .head_dim = DIM};
    args.q = args.q_out = rows;
    args.q_strides[2] = args.q_out_strides[2] = DIM;
    args.q_strides[3] = args.q_out_strides[3] = 1;
    args.type_index = FOVEA_INDEX_INT64;
    args.first_positions = &first;
    args.rotation = &rotation;
    args.isa_cap = backend_at(_i)->isa;
    ck_assert_msg(fovea_rope(&args, NULL) == FOVEA_OK, "%s", fovea_last_reason());
    ck_assert(rows[0][0] != 1);
    ck_assert_mem_eq(rows[1], rows[0], sizeof rows[0]);
    ck_assert_mem_eq(rows[2], rows[0], sizeof rows[0]);
}
END_TEST

/* ONNX RotaryEmbedding as its function body has it: X (B, S, hidden) with num_heads, caches by position_ids or not. */
START_TEST(onnx_rotary_embedding_is_expressible) {
    enum { B = 2, S = 3, H = 2, D = 8, R = 6, MOST = 5 };
    test_random random = test_random_named("onnx", _i);
    float x[B][S][H][D], y[B][S][H][D], cosines[B * S * R / 2 + MOST], sines[B * S * R / 2 + MOST];
    const int64_t position_ids[B][S] = {{4, 0, 2}, {1, 1, 3}};
    fill(&x[0][0][0][0], B * S * H * D, &random);
    fill(cosines, B * S * R / 2 + MOST, &random);
    fill(sines, B * S * R / 2 + MOST, &random);
    for (int variant = 0; variant < 4; variant++) {
        const bool interleaved = variant % 2, by_position = variant / 2;
        fovea_rotation rotation = {.struct_size = sizeof rotation, .rotary_dim = R, .cosines = cosines, .sines = sines};
        rotation.layout = interleaved ? FOVEA_ROPE_INTERLEAVED : FOVEA_ROPE_HALF_SPLIT;
        rotation.table_rows = by_position ? MOST : S;
        rotation.table_strides[0] = by_position ? 0 : S * R / 2;
        rotation.table_strides[1] = R / 2;
        rotation.table_strides[2] = 1;
        if (by_position) {
            rotation.positions = position_ids;
            rotation.position_strides[0] = S;
            rotation.position_strides[1] = 1;
            rotation.type_positions = FOVEA_INDEX_INT64;
        }
        fovea_rope_args args = {.struct_size = sizeof args, .batch = B, .heads_q = H, .len = S, .head_dim = D};
        const int64_t strides[4] = {S * H * D, D, H * D, 1};
        memcpy(args.q_strides, strides, sizeof strides);
        memcpy(args.q_out_strides, strides, sizeof strides);
        args.q = x;
        args.q_out = y;
        args.rotation = &rotation;
        args.isa_cap = backend_at(_i)->isa;
        ck_assert_msg(fovea_rope(&args, NULL) == FOVEA_OK, "%s", fovea_last_reason());
        for (int i = 0; i < B * S * H * R / 2; i++) {
            const int pair = i % (R / 2), h = i / (R / 2) % H, s = i / (R / 2) / H % S, b = i / (R / 2) / H / S;
            const int64_t row = by_position ? position_ids[b][s] : b * S + s;
            const float c = cosines[row * (R / 2) + pair], sine = sines[row * (R / 2) + pair];
            const int first = interleaved ? 2 * pair : pair, second = interleaved ? 2 * pair + 1 : R / 2 + pair;
            const float x1 = x[b][s][h][first], x2 = x[b][s][h][second];
            ck_assert(fabsf(y[b][s][h][first] - (c * x1 - sine * x2)) < 1e-6f);
            ck_assert(fabsf(y[b][s][h][second] - (sine * x1 + c * x2)) < 1e-6f);
            ck_assert(y[b][s][h][R] == x[b][s][h][R] && y[b][s][h][R + 1] == x[b][s][h][R + 1]);
        }
    }
}
END_TEST

START_TEST(turning_on_append_is_turning_and_then_appending) {
    enum { LEN = 7, DIM = 40 };
    test_random random = test_random_named("rope append", _i);
    float rows[LEN * DIM], fused[LEN * DIM];
    fill(rows, LEN * DIM, &random);
    const fovea_rotation rotation = {.struct_size = sizeof rotation, .base = 500000};
    fovea_kv_append_args args = {.struct_size = sizeof args, .batch = 1, .heads_kv = 1, .len_new = LEN};
    args.len_kv = LEN;
    args.head_dim = DIM;
    args.k_new = rows;
    args.k = fused;
    args.k_new_strides[2] = args.k_strides[2] = DIM;
    args.k_new_strides[3] = args.k_strides[3] = 1;
    args.rotation = &rotation;
    args.isa_cap = backend_at(_i)->isa;
    ck_assert_msg(fovea_kv_append(&args, NULL) == FOVEA_OK, "%s", fovea_last_reason());
    turn_rows(rows, LEN, DIM, &rotation, backend_at(_i)->isa);
    ck_assert_mem_eq(rows, fused, sizeof rows);
}
END_TEST

/* Elements of the calls below: enough to be shared among threads. */
enum { SHARED = 300 * 3 * 128 };

/* Tokens of queries and keys side by side, turned by one thread and by many. */
static void run_on_every_executor(int64_t batch, int64_t len, int64_t heads_q, int64_t heads_kv, int32_t backend) {
    static float rows[SHARED], alone[SHARED], out[SHARED];
    const int64_t row = SHARED / (batch * len), dim = row / (heads_q + heads_kv);
    test_random random = test_random_named("rope threads", backend);
    fill(rows, SHARED, &random);
    const fovea_rotation rotation = {.struct_size = sizeof rotation};
    const int64_t strides[4] = {len * row, dim, row, 1};
    fovea_rope_args args = {.struct_size = sizeof args, .batch = batch, .len = len, .head_dim = dim};
    args.heads_q = heads_q;
    args.heads_kv = heads_kv;
    memcpy(args.q_strides, strides, sizeof strides);
    memcpy(args.q_out_strides, strides, sizeof strides);
    memcpy(args.k_strides, strides, sizeof strides);
    memcpy(args.k_out_strides, strides, sizeof strides);
    args.q = rows;
    args.k = rows + heads_q * dim;
    args.q_out = alone;
    args.k_out = alone + heads_q * dim;
    args.rotation = &rotation;
    args.isa_cap = backend_at(backend)->isa;
    args.threads = 1;
    ck_assert_int_eq(fovea_rope(&args, NULL), FOVEA_OK);
    args.q_out = out;
    args.k_out = out + heads_q * dim;
    for (int executor = EXECUTOR_DEFAULT; executor <= EXECUTOR_SHUFFLED; executor++) {
        for (int32_t threads = 0; threads <= 5; threads++) {
            test_executor pool;
            test_executor_init(&pool, (executor_kind)executor, 4, (uint64_t)threads);
            args.threads = threads;
            memset(out, 0, sizeof out);
            ck_assert_int_eq(fovea_rope(&args, test_executor_get(&pool)), FOVEA_OK);
            ck_assert_mem_eq(out, alone, sizeof out);
            ck_assert(!pool.environment_changed);
            ck_assert(executor == EXECUTOR_DEFAULT || threads == 1 || pool.loops == 1);
        }
    }
}

START_TEST(the_bits_are_the_same_for_any_threads_and_executor) {
    run_on_every_executor(3, 100, 0, 3, _i);
    run_on_every_executor(3, 100, 1, 2, _i);
    /* The heads of one token, where the border between queries and keys is none between threads. */
    run_on_every_executor(1, 1, 500, 400, _i);
    run_on_every_executor(2, 1, 450, 0, _i);
}
END_TEST

/* --- Misuse --- */

typedef struct misused {
    float x[4 * 6], y[4 * 6], keys[4 * 6], table[5 * 3];
    double frequencies[3];
    int64_t list[3];
    fovea_rotation rotation;
    fovea_rope_args args;
} misused;

/* Two sequences of two tokens of one head. */
static misused *legal(void) {
    misused *self = calloc(1, sizeof *self);
    ck_assert_ptr_nonnull(self);
    self->rotation.struct_size = sizeof self->rotation;
    self->args = (fovea_rope_args){.struct_size = sizeof self->args, .batch = 2, .heads_q = 1, .len = 2, .head_dim = 6};
    self->args.type_index = FOVEA_INDEX_INT64;
    self->args.q = self->x;
    self->args.q_out = self->y;
    const int64_t strides[4] = {12, 12, 6, 1};
    memcpy(self->args.q_strides, strides, sizeof strides);
    memcpy(self->args.q_out_strides, strides, sizeof strides);
    /* There, but of no heads. */
    self->args.k = self->x;
    self->args.k_out = self->keys;
    memcpy(self->args.k_strides, strides, sizeof strides);
    memcpy(self->args.k_out_strides, strides, sizeof strides);
    self->args.rotation = &self->rotation;
    self->rotation.table_strides[1] = 3;
    self->rotation.table_strides[2] = 1;
    for (int i = 0; i < 24; i++) {
        self->x[i] = 1;
    }
    return self;
}

static void expect(const misused *self, const char *reason) {
    const fovea_status status = fovea_rope(&self->args, NULL);
    ck_assert_msg(status == FOVEA_INVALID, "%s (%s)", fovea_status_string(status), reason);
    ck_assert_msg(strstr(fovea_last_reason(), reason), "\"%s\" does not say \"%s\"", fovea_last_reason(), reason);
    for (int i = 0; i < 24; i++) {
        ck_assert(self->y[i] == 0);
    }
}

/* Spoils a field, expects the refusal, and mends the field. */
#define EXPECT(field, value, reason)                 \
    do {                                             \
        __typeof__(self->field) kept_ = self->field; \
        self->field = value;                         \
        expect(self, reason);                        \
        self->field = kept_;                         \
    } while (0)

START_TEST(misuse_is_refused_with_a_reason) {
    misused *self = legal();
    EXPECT(args.struct_size, 16, "args.struct_size (16)");
    EXPECT(args.type, FOVEA_INT8, "type (3) is neither");
    EXPECT(args.type_index, (fovea_index_type)5, "type_index (5)");
    EXPECT(args.form, FOVEA_FORM_PAGED, "form (2) is neither dense nor packed");
    EXPECT(args.batch, -1, "batch (-1) is negative");
    EXPECT(args.heads_kv, -2, "heads_kv (-2) is negative");
    EXPECT(args.len, -1, "len (-1) is negative");
    EXPECT(args.threads, -1, "threads (-1) is negative");
    EXPECT(args.len, INT64_MAX / 8, "overflows when counted in bytes");
    EXPECT(args.rotation, NULL, "rotation is NULL");
    EXPECT(args.q, NULL, "q is NULL");
    EXPECT(args.q_out, NULL, "q_out is NULL");
    EXPECT(args.q_strides[3], 2, "q_strides[3] (2) is not 1");
    EXPECT(args.q_out_strides[0], 0, "q_out_strides[0] is 0");
    self->args.heads_kv = 1;
    EXPECT(args.k_strides[3], 2, "k_strides[3] (2) is not 1");
    EXPECT(args.k_out_strides[2], 0, "k_out_strides[2] is 0");
    self->args.heads_kv = 0;
    EXPECT(args.q, self->y + 1, "q_out overlaps q");
    EXPECT(args.cu_seqlens, self->list, "cu_seqlens is given");
    EXPECT(args.lengths, ((const int64_t[]){2, 3}), "lengths[1] (3) is not in 0 ... 2");
    EXPECT(args.head_dim, 5, "head_dim (5) is odd");
    EXPECT(args.isa_cap, (fovea_isa)99, "isa_cap (99)");
    EXPECT(rotation.struct_size, 1, "rotation.struct_size (1)");
    EXPECT(rotation.layout, (fovea_rope_layout)2, "rotation.layout (2)");
    EXPECT(rotation.rotary_dim, 8, "rotation.rotary_dim (8) is not in 0 ... head_dim (6)");
    EXPECT(rotation.rotary_dim, 3, "rotation.rotary_dim (3) is odd");
    EXPECT(rotation.base, -1, "rotation.base (-1) is negative");
    EXPECT(rotation.base, (double)INFINITY, "rotation.base (inf) is not finite");
    EXPECT(rotation.position_scale, (double)NAN, "rotation.position_scale (nan) is not finite");
    EXPECT(rotation.amplitude, (double)NAN, "rotation.amplitude (nan) is not finite");
    EXPECT(rotation.table_rows, 1, "rotation.table_rows (1) is given without");
    EXPECT(rotation.type_positions, (fovea_index_type)2, "rotation.type_positions (2)");
    EXPECT(rotation.cosines, self->table, "rotation.sines is NULL");
    EXPECT(rotation.sines, self->table, "rotation.cosines is NULL");
    EXPECT(rotation.positions, (const char *)self->list + 1, "rotation.positions is not aligned");
    self->args.form = FOVEA_FORM_PACKED;
    EXPECT(args.lengths, self->list, "lengths is given");
    expect(self, "cu_seqlens is NULL");
    EXPECT(args.cu_seqlens, ((const int64_t[]){0, 2, 1}), "cu_seqlens[2] (1) is less than 2");
    free(self);
}
END_TEST

START_TEST(misuse_of_tables_and_frequencies_is_refused_with_a_reason) {
    misused *self = legal();
    self->rotation.inverse_frequencies = self->frequencies;
    EXPECT(rotation.base, 2, "rotation.base (2) is given beside");
    EXPECT(frequencies[2], (double)INFINITY, "rotation.inverse_frequencies[2] (inf) is not finite");
    self->rotation.inverse_frequencies = NULL;
    self->rotation.cosines = self->rotation.sines = self->table;
    self->rotation.table_rows = 2;
    ck_assert_msg(fovea_rope(&self->args, NULL) == FOVEA_OK, "%s", fovea_last_reason());
    memset(self->y, 0, sizeof self->y);
    EXPECT(rotation.type_table, FOVEA_INT8, "rotation.type_table (3)");
    EXPECT(rotation.table_rows, -1, "rotation.table_rows (-1)");
    EXPECT(rotation.table_rows, 1, "2 tokens exceed rotation.table_rows (1)");
    EXPECT(rotation.table_strides[2], 2, "rotation.table_strides[2] (2) is not 1");
    EXPECT(rotation.amplitude, 1, "rotation.cosines is given beside");
    EXPECT(args.first_positions, ((const int64_t[]){0, 1}), "first_positions[1] (1) and 2 tokens exceed");
    EXPECT(args.first_positions, ((const int64_t[]){-1, 0}), "first_positions[0] (-1)");
    const int64_t positions[] = {0, 1, 2, 0};
    self->rotation.positions = positions;
    self->rotation.position_strides[0] = 2;
    self->rotation.position_strides[1] = 1;
    self->rotation.type_positions = FOVEA_INDEX_INT64;
    expect(self, "rotation.positions: 2 (entry 1, token 0) is not in 0 ... table_rows - 1 (1)");
    EXPECT(args.first_positions, self->list, "first_positions is given beside rotation.positions");
    free(self);
}
END_TEST

START_TEST(sizes_of_zero_do_nothing) {
    misused *self = legal();
    int64_t *const sizes[] = {&self->args.batch, &self->args.heads_q, &self->args.len, &self->args.head_dim};
    for (int i = 0; i < 4; i++) {
        const int64_t size = *sizes[i];
        *sizes[i] = 0;
        ck_assert_msg(fovea_rope(&self->args, NULL) == FOVEA_OK, "%s", fovea_last_reason());
        *sizes[i] = size;
    }
    ck_assert_int_eq(fovea_rope(NULL, NULL), FOVEA_INVALID);
    for (int i = 0; i < 24; i++) {
        ck_assert(self->y[i] == 0);
    }
    free(self);
}
END_TEST

Suite *rope_suite(void);

Suite *rope_suite(void) {
    Suite *suite = suite_create("rope");
    TCase *tcase = tcase_create("every backend");
    ADD_FOR_BACKENDS(tcase, frequencies_are_powers_of_the_base);
    ADD_FOR_BACKENDS(tcase, angles_are_accurate_at_positions_up_to_a_million);
    ADD_FOR_BACKENDS(tcase, pairs_are_turned_at_every_length_in_place_and_not);
    ADD_FOR_BACKENDS(tcase, random_calls_turn_what_they_must_and_nothing_else);
    ADD_FOR_BACKENDS(tcase, products_depend_on_the_distance_of_positions_alone);
    ADD_FOR_BACKENDS(tcase, a_negative_scale_turns_back);
    ADD_FOR_BACKENDS(tcase, positions_do_not_go_beyond_the_last_number);
    ADD_FOR_BACKENDS(tcase, onnx_rotary_embedding_is_expressible);
    ADD_FOR_BACKENDS(tcase, turning_on_append_is_turning_and_then_appending);
    ADD_FOR_BACKENDS(tcase, the_bits_are_the_same_for_any_threads_and_executor);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("misuse");
    tcase_add_test(tcase, misuse_is_refused_with_a_reason);
    tcase_add_test(tcase, misuse_of_tables_and_frequencies_is_refused_with_a_reason);
    tcase_add_test(tcase, sizes_of_zero_do_nothing);
    suite_add_tcase(suite, tcase);
    return suite;
}
