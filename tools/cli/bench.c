/* A quick look at the speed on this machine. Measurements that can be compared are the benchmark program's. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arguments.h"
#include "clock.h"
#include "commands.h"
#include "fovea/fovea.h"

enum { ROUNDS_MAX = 1000 };

/* A round repeats the call for at least this many seconds. */
static const double round_seconds = 0.05;

typedef struct bench_shape {
    const char *name;
    int64_t batch, heads, heads_kv, len_q, len_kv, dim;
    bool causal;
} bench_shape;

/* Two prefills, a batch of sentences, and one query row against a cache without and with grouped heads. */
static const bench_shape shapes[] = {
    {"dense", 1, 8, 8, 1536, 1536, 64, false},  {"causal", 1, 8, 8, 1536, 1536, 64, true},
    {"short", 8, 12, 12, 128, 128, 32, false},  {"decode", 1, 8, 8, 1, 8192, 128, false},
    {"grouped", 1, 32, 8, 1, 8192, 128, false},
};

enum { SHAPES = sizeof shapes / sizeof *shapes };

typedef struct bench_options {
    /* 0: as the shape says. */
    int64_t heads, heads_kv, len, dim;
    int64_t threads, rounds;
    fovea_isa isa;
    fovea_exp exp;
} bench_options;

enum { HEADS, HEADS_KV, LEN, DIM, THREADS, ROUNDS, ISA, EXP };

static const cli_option options[] = {
    [HEADS] = {"--heads", NULL, "N", NULL, "query heads"},
    [HEADS_KV] = {"--heads-kv", NULL, "N", NULL, "key/value heads (default: the query heads, if those are given)"},
    [LEN] = {"--len", NULL, "N", NULL, "keys, and query rows except for decoding"},
    [DIM] = {"--dim", NULL, "N", NULL, "elements of a head"},
    [THREADS] = {"--threads", NULL, "N", NULL, "threads at most (default: OpenMP's)"},
    [ROUNDS] = {"--rounds", NULL, "N", NULL, "measurements of each shape (default 7)"},
    [ISA] = {"--isa", NULL, "NAME", NULL, "best backend to use, see 'fovea info'"},
    [EXP] = {"--exp", NULL, "NAME", NULL, "exponential: sleef or fused"},
    {0},
};

static const cli_command command = {
    .name = "bench",
    .usage = "[SHAPE]... [OPTION]...",
    .about = "Measures float32 attention over random numbers: the best and the median of several rounds.\n"
             "Shapes: dense, causal, short, decode, grouped (default: all). Options replace a shape's sizes.",
    .options = options,
    .max_positional = SHAPES,
};

static cli_status take(void *target, int32_t index, const char *value) {
    bench_options *o = target;
    const char *option = options[index].name;
    switch (index) {
    case HEADS:
        return cli_parse_integer(option, value, 1, 1 << 16, &o->heads);
    case HEADS_KV:
        return cli_parse_integer(option, value, 1, 1 << 16, &o->heads_kv);
    case LEN:
        return cli_parse_integer(option, value, 1, 1 << 24, &o->len);
    case DIM:
        return cli_parse_integer(option, value, 1, 1 << 16, &o->dim);
    case THREADS:
        return cli_parse_integer(option, value, 1, 4096, &o->threads);
    case ROUNDS:
        return cli_parse_integer(option, value, 1, ROUNDS_MAX, &o->rounds);
    case ISA:
        return fovea_isa_parse(value, &o->isa) == FOVEA_OK ? CLI_OK : cli_fail_library(FOVEA_INVALID);
    default: {
        int32_t word = cli_find_word("sleef|fused", value);
        o->exp = word == 0 ? FOVEA_EXP_SLEEF : FOVEA_EXP_FUSED;
        return word >= 0 ? CLI_OK : cli_fail_usage(command.name, "option '--exp' takes one of sleef|fused");
    }
    }
}

static bench_shape with_options(bench_shape shape, const bench_options *o) {
    if (o->heads)
        shape.heads = shape.heads_kv = o->heads;
    if (o->heads_kv)
        shape.heads_kv = o->heads_kv;
    if (o->len) {
        shape.len_q = shape.len_q == 1 ? 1 : o->len;
        shape.len_kv = o->len;
    }
    if (o->dim)
        shape.dim = o->dim;
    return shape;
}

/* A tensor of numbers in [-1, 1), contiguous as (batch, heads, len, dim); NULL: no memory. */
static float *make_tensor(int64_t batch, int64_t heads, int64_t len, int64_t dim, int64_t strides[4]) {
    const size_t count = (size_t)(batch * heads) * (size_t)len * (size_t)dim;
    float *data = malloc(count * sizeof *data);
    memcpy(strides, (int64_t[]){heads * len * dim, len * dim, dim, 1}, 4 * sizeof *strides);
    uint32_t state = 1;
    for (size_t i = 0; data && i < count; i++) {
        state = state * 1664525u + 1013904223u;
        data[i] = (float)(state >> 8) * 0x1p-23f - 1;
    }
    return data;
}

/* Seconds of one call, averaged over a round. */
static fovea_status measure_round(const fovea_plan *plan, const fovea_attention_args *args, double *seconds) {
    const double start = clock_now();
    double now = start;
    int64_t calls = 0;
    while (now - start < round_seconds) {
        fovea_status status = fovea_execute(plan, args, NULL);
        if (status != FOVEA_OK)
            return status;
        calls++;
        now = clock_now();
    }
    *seconds = (now - start) / (double)calls;
    return FOVEA_OK;
}

static int compare_seconds(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void print_result(const bench_shape *s, double *seconds, int64_t rounds) {
    const double rows = (double)s->len_q, keys = (double)s->len_kv;
    const double pairs = s->causal ? rows * keys - rows * (rows - 1) / 2 : rows * keys;
    const double flops = 4 * pairs * (double)(s->batch * s->heads * s->dim);
    const double bytes = 8 * keys * (double)(s->batch * s->heads_kv * s->dim);
    qsort(seconds, (size_t)rounds, sizeof *seconds, compare_seconds);
    char shape[64];
    snprintf(shape, sizeof shape, "%" PRId64 "x%" PRId64 "/%" PRId64 " %" PRId64 "x%" PRId64 " %" PRId64, s->batch,
             s->heads, s->heads_kv, s->len_q, s->len_kv, s->dim);
    printf("%-8s %-24s %10.3f %10.3f %9.1f %8.1f\n", s->name, shape, seconds[0] * 1e3, seconds[rounds / 2] * 1e3,
           flops / seconds[0] * 1e-9, bytes / seconds[0] * 1e-9);
    fflush(stdout);
}

static cli_status measure(const bench_shape *s, const bench_options *o, const fovea_plan *plan,
                          const fovea_attention_args *args) {
    double seconds[ROUNDS_MAX];
    /* The first round warms caches, pages and threads, and is not counted. */
    for (int64_t round = -1; round < o->rounds; round++) {
        fovea_status status = measure_round(plan, args, &seconds[round < 0 ? 0 : round]);
        if (status != FOVEA_OK)
            return cli_fail_library(status);
    }
    print_result(s, seconds, o->rounds);
    return CLI_OK;
}

static cli_status bench(const bench_shape *s, const bench_options *o) {
    const fovea_attention_desc desc = {.struct_size = sizeof desc,
                                       .batch = s->batch,
                                       .heads_q = s->heads,
                                       .heads_kv = s->heads_kv,
                                       .len_q = s->len_q,
                                       .len_kv = s->len_kv,
                                       .head_dim = s->dim,
                                       .head_dim_v = s->dim,
                                       .causal = s->causal,
                                       .isa_cap = o->isa,
                                       .exp = o->exp,
                                       .threads = (int32_t)o->threads};
    fovea_plan *plan;
    fovea_status status = fovea_plan_create(&desc, &plan);
    if (status != FOVEA_OK)
        return cli_fail_library(status);
    fovea_attention_args args = {.struct_size = sizeof args, .len_q = s->len_q, .len_kv = s->len_kv};
    float *q = make_tensor(s->batch, s->heads, s->len_q, s->dim, args.q_strides);
    float *k = make_tensor(s->batch, s->heads_kv, s->len_kv, s->dim, args.k_strides);
    float *v = make_tensor(s->batch, s->heads_kv, s->len_kv, s->dim, args.v_strides);
    float *out = make_tensor(s->batch, s->heads, s->len_q, s->dim, args.out_strides);
    args.q = q;
    args.k = k;
    args.v = v;
    args.out = out;
    cli_status result = q && k && v && out ? measure(s, o, plan, &args) : cli_fail_memory();
    free(q);
    free(k);
    free(v);
    free(out);
    fovea_plan_destroy(plan);
    return result;
}

static const bench_shape *find_shape(const char *name) {
    for (int32_t i = 0; i < SHAPES; i++)
        if (strcmp(shapes[i].name, name) == 0)
            return &shapes[i];
    return NULL;
}

cli_status command_bench(int argc, char **argv) {
    bench_options o = {.rounds = 7};
    const char *names[SHAPES];
    const bench_shape *chosen[SHAPES];
    int32_t count;
    int helped;
    cli_status status = cli_parse(&command, argc, argv, take, &o, names, &count, &helped);
    if (status != CLI_OK || helped)
        return status;
    for (int32_t i = 0; i < count; i++) {
        chosen[i] = find_shape(names[i]);
        if (!chosen[i])
            return cli_fail_usage(command.name, "unknown shape '%s'", names[i]);
    }
    if (count == 0)
        for (; count < SHAPES; count++)
            chosen[count] = &shapes[count];
    printf("%-8s %-24s %10s %10s %9s %8s\n", "shape", "BxHq/Hk SqxSk D", "best ms", "median ms", "GFLOP/s", "GB/s");
    for (int32_t i = 0; i < count && status == CLI_OK; i++) {
        const bench_shape shape = with_options(*chosen[i], &o);
        status = bench(&shape, &o);
    }
    return status;
}
