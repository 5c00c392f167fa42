/* The program `fovea` as a user meets it: results, messages, exit statuses and what is left on the disk.
 *
 * FOVEA_CLI is the program, FOVEA_SOURCE the root of the source tree, FOVEA_TEST_WRAPPER the words of an emulator's
 * command line that come before the program. */
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cli/npy.h"

enum { ARGUMENTS_MAX = 40, TEXT_MAX = 1 << 16 };

/* ---- Running the program ---- */

/* What a finished run left. */
typedef struct outcome {
    /* Exit status, or 128 + signal. */
    int status;
    char out[TEXT_MAX];
    char err[TEXT_MAX];
} outcome;

static outcome last;

/* The folder of a test, which is also its working directory. */
static char folder[] = "/tmp/fovea-cli-XXXXXX";

static const char *environment(const char *name) {
    const char *value = getenv(name);
    ck_assert_msg(value, "%s is not set: run the tests through Meson", name);
    return value;
}

/* A file of the source tree; valid until the fourth call after it. */
static const char *source(const char *relative) {
    static char paths[4][512];
    static int next;
    next = (next + 1) % 4;
    snprintf(paths[next], sizeof paths[next], "%s/%s", environment("FOVEA_SOURCE"), relative);
    return paths[next];
}

static void read_text(const char *path, char *text) {
    FILE *file = fopen(path, "rb");
    ck_assert_ptr_nonnull(file);
    text[fread(text, 1, TEXT_MAX - 1, file)] = '\0';
    fclose(file);
}

static pid_t start(int out, int err, const char *format, va_list words) __attribute__((format(printf, 3, 0)));

/* Starts the program with a command line of words separated by spaces; %s stands for words of any text. */
static pid_t start(int out, int err, const char *format, va_list words) {
    static char line[8192], wrapper[512];
    char *argv[ARGUMENTS_MAX] = {0};
    int count = 0;
    snprintf(wrapper, sizeof wrapper, "%s", getenv("FOVEA_TEST_WRAPPER") ? getenv("FOVEA_TEST_WRAPPER") : "");
    for (char *word = strtok(wrapper, " "); word; word = strtok(NULL, " "))
        argv[count++] = word;
    argv[count++] = (char *)(uintptr_t)environment("FOVEA_CLI");
    vsnprintf(line, sizeof line, format, words);
    for (char *word = strtok(line, " "); word; word = strtok(NULL, " ")) {
        ck_assert_int_lt(count, ARGUMENTS_MAX - 1);
        /* A word that must hold a space is written with '~'. */
        for (char *c = word; *c; c++)
            *c = *c == '~' ? ' ' : *c;
        argv[count++] = word;
    }
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        dup2(out, STDOUT_FILENO);
        dup2(err, STDERR_FILENO);
        execvp(argv[0], argv);
        _exit(127);
    }
    ck_assert_int_gt(child, 0);
    return child;
}

static int wait_status(pid_t child) {
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int fovea(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Runs the program to its end; the outcome is in `last`. */
static int fovea(const char *format, ...) {
    va_list words;
    int out = open("stdout.txt", O_RDWR | O_CREAT | O_TRUNC, 0600),
        err = open("stderr.txt", O_RDWR | O_CREAT | O_TRUNC, 0600);
    ck_assert(out >= 0 && err >= 0);
    va_start(words, format);
    pid_t child = start(out, err, format, words);
    va_end(words);
    last.status = wait_status(child);
    close(out);
    close(err);
    read_text("stdout.txt", last.out);
    read_text("stderr.txt", last.err);
    unlink("stdout.txt");
    unlink("stderr.txt");
    return last.status;
}

#define EXPECT(wanted, ...)                                                                                           \
    do {                                                                                                              \
        int status_ = fovea(__VA_ARGS__);                                                                             \
        ck_assert_msg(status_ == (wanted), "exit status %d instead of %d\n%.1000s%.1000s", status_, wanted, last.out, \
                      last.err);                                                                                      \
    } while (0)

/* A failure is one line that starts with the program's name, and says `reason`. */
#define EXPECT_ERROR(wanted, reason, ...)                                                         \
    do {                                                                                          \
        EXPECT(wanted, __VA_ARGS__);                                                              \
        ck_assert_msg(strncmp(last.err, "fovea: ", 7) == 0 &&                                     \
                          strchr(last.err, '\n') == last.err + strlen(last.err) - 1,              \
                      "not one line: %.1000s", last.err);                                         \
        ck_assert_msg(strstr(last.err, reason), "'%.1000s' does not say '%s'", last.err, reason); \
    } while (0)

/* ---- Files ---- */

static void save_bytes(const char *name, const void *bytes, size_t size) {
    FILE *file = fopen(name, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, size, file), size);
    ck_assert_int_eq(fclose(file), 0);
}

static void save_text(const char *name, const char *text) {
    save_bytes(name, text, strlen(text));
}

static void save(const char *name, npy_type type, int32_t rank, const int64_t *shape, const void *data) {
    FILE *file = fopen(name, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert(npy_write(file, type, rank, shape, data));
    ck_assert_int_eq(fclose(file), 0);
}

/* Numbers in [-1, 1) that `seed` determines. */
static void save_random(const char *name, uint32_t seed, int32_t rank, const int64_t *shape) {
    size_t count = 1;
    for (int32_t i = 0; i < rank; i++)
        count *= (size_t)shape[i];
    float *data = malloc((count + 1) * sizeof *data);
    ck_assert_ptr_nonnull(data);
    for (size_t i = 0; i < count; i++) {
        seed = seed * 1664525u + 1013904223u;
        data[i] = (float)(seed >> 8) * 0x1p-23f - 1;
    }
    save(name, NPY_F32, rank, shape, data);
    free(data);
}

#define SHAPE(...)                                                               \
    (int32_t)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (int64_t[]) { \
        __VA_ARGS__                                                              \
    }

static npy_array load(const char *name) {
    npy_array a;
    npy_error error;
    ck_assert_msg(npy_load(name, &a, &error) == NPY_OK, "%s: %s", name, error.text);
    return a;
}

static void check_shape(const char *name, int32_t rank, const int64_t *shape) {
    npy_array a = load(name);
    ck_assert_int_eq(a.header.rank, rank);
    ck_assert_mem_eq(a.header.shape, shape, (size_t)rank * sizeof *shape);
    npy_free(&a);
}

static void check_values(const char *name, int64_t count, const float *expected) {
    npy_array a = load(name);
    ck_assert_int_eq(a.header.count, count);
    for (int64_t i = 0; i < count; i++)
        ck_assert_msg(fabsf(((float *)a.data)[i] - expected[i]) < 1e-6f, "%s[%lld] is %g, not %g", name, (long long)i,
                      (double)((float *)a.data)[i], (double)expected[i]);
    npy_free(&a);
}

/* Names in the folder that start with `start`, for what is left behind. */
static int count_files(const char *start) {
    int count = 0;
    DIR *directory = opendir(".");
    ck_assert_ptr_nonnull(directory);
    for (struct dirent *entry; (entry = readdir(directory));)
        count += strncmp(entry->d_name, start, strlen(start)) == 0 && entry->d_name[0] != '.';
    closedir(directory);
    return count;
}

static void enter_folder(void) {
    environment("FOVEA_CLI");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(chdir(folder), 0);
    unsetenv("FOVEA_ISA");
    unsetenv("NO_COLOR");
    /* Then OpenMP is not wanted, for it would look like races, and its tool for thread sanitizers talks to stderr. */
    if (getenv("FOVEA_TEST_EXECUTOR")) {
        setenv("OMP_NUM_THREADS", "1", 1);
        setenv("OMP_TOOL", "disabled", 1);
    }
}

static void remove_folder(void) {
    DIR *directory = opendir(folder);
    ck_assert_ptr_nonnull(directory);
    for (struct dirent *entry; (entry = readdir(directory));)
        if (unlinkat(dirfd(directory), entry->d_name, 0) != 0)
            unlinkat(dirfd(directory), entry->d_name, AT_REMOVEDIR);
    closedir(directory);
    rmdir(folder);
}

/* Two query rows, two keys, zero scores: every visible key counts alike. */
static void save_small(void) {
    const float zero[4] = {0}, v[4] = {1, 10, 3, 30};
    save("q.npy", NPY_F32, SHAPE(2, 2), zero);
    save("k.npy", NPY_F32, SHAPE(2, 2), zero);
    save("v.npy", NPY_F32, SHAPE(2, 2), v);
}

/* ---- Usage ---- */

START_TEST(help) {
    static const char *const commands[] = {"run", "compare", "info", "bench"};
    char manual[TEXT_MAX];
    read_text(source("docs/fovea.1"), manual);
    EXPECT(0, "--help");
    EXPECT(0, "--version");
    ck_assert_int_eq(strncmp(last.out, "fovea ", 6), 0);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        EXPECT(0, "%s --help", commands[i]);
        ck_assert_str_eq(last.err, "");
        ck_assert_int_eq(strncmp(last.out, "Usage: fovea ", 13), 0);
        /* Every option is in the manual, where hyphens are escaped. */
        for (char *at = last.out; (at = strstr(at, " --"));) {
            char option[64] = "", *end = option;
            for (at++; *at == '-' || (*at >= 'a' && *at <= 'z'); at++) {
                if (*at == '-')
                    *end++ = '\\';
                *end++ = *at;
            }
            *end = '\0';
            ck_assert_msg(strstr(manual, option), "the manual lacks %s", option);
        }
    }
}
END_TEST

START_TEST(usage_errors) {
    save_small();
    EXPECT(2, "%s", "");
    EXPECT_ERROR(2, "unknown command", "walk");
    EXPECT_ERROR(2, "three files", "run q.npy k.npy -o o.npy");
    EXPECT_ERROR(2, "unexpected argument", "run q.npy k.npy v.npy w.npy -o o.npy");
    EXPECT_ERROR(2, "nothing to do", "run q.npy k.npy v.npy");
    EXPECT_ERROR(2, "unknown option '--frob'", "run q.npy k.npy v.npy --frob");
    EXPECT_ERROR(2, "unknown option '--caus'", "run q.npy k.npy v.npy --caus");
    EXPECT_ERROR(2, "needs a value", "run q.npy k.npy v.npy -o");
    EXPECT_ERROR(2, "takes no value", "run q.npy k.npy v.npy -o o.npy --json=yes");
    EXPECT_ERROR(2, "takes one of top-left|bottom-right", "run q.npy k.npy v.npy -o o.npy --causal=left");
    EXPECT_ERROR(2, "two different diagonals",
                 "run q.npy k.npy v.npy -o o.npy --causal top-left --diagonal bottom-right");
    EXPECT_ERROR(2, "no effect", "run q.npy k.npy v.npy -o o.npy --diagonal top-left");
    EXPECT_ERROR(2, "two numbers", "run q.npy k.npy v.npy -o o.npy --window 3");
    EXPECT_ERROR(2, "whole number", "run q.npy k.npy v.npy -o o.npy --window 3,x");
    EXPECT_ERROR(2, "whole number", "run q.npy k.npy v.npy -o o.npy --window -2,0");
    EXPECT_ERROR(2, "finite number", "run q.npy k.npy v.npy -o o.npy --scale nan");
    EXPECT_ERROR(2, "float32", "run q.npy k.npy v.npy -o o.npy --scale 1e39");
    EXPECT_ERROR(2, "whole number", "run q.npy k.npy v.npy -o o.npy --threads 0");
    EXPECT_ERROR(2, "whole number", "run q.npy k.npy v.npy -o o.npy --heads 99999999999999999999");
    EXPECT_ERROR(2, "--heads-kv needs --heads", "run q.npy k.npy v.npy -o o.npy --heads-kv 1");
    EXPECT_ERROR(2, "exclude", "run q.npy k.npy v.npy -o o.npy --heads 1 --layout bshd");
    EXPECT_ERROR(2, "no effect", "run q.npy k.npy v.npy -o o.npy --tokens t.txt");
    EXPECT_ERROR(2, "no effect", "run q.npy k.npy v.npy -o o.npy --entry 0");
    EXPECT_ERROR(2, "no effect", "run q.npy k.npy v.npy -o o.npy --head 3");
    EXPECT_ERROR(2, "--compare", "run q.npy k.npy v.npy -o o.npy --tolerance 5");
    EXPECT_ERROR(2, "generic", "run q.npy k.npy v.npy -o o.npy --isa mmx");
    EXPECT_ERROR(2, "sleef|fused", "run q.npy k.npy v.npy -o o.npy --exp exact");
    EXPECT_ERROR(2, "negative", "compare q.npy k.npy --tolerance -1");
    EXPECT_ERROR(2, "unknown shape", "bench huge");
    ck_assert_int_eq(count_files("o.npy"), 0);
}
END_TEST

/* Names with control characters do not break the line, nor reach the terminal. */
START_TEST(hostile_names) {
    EXPECT_ERROR(2, "a?[31mb?c", "run a\x1b[31mb\nc k v -o o.npy");
}
END_TEST

/* ---- Results ---- */

START_TEST(real_model) {
    char data[512];
    snprintf(data, sizeof data, "%s", source("data/demo"));
    EXPECT(0,
           "run %s/q.npy %s/k.npy %s/v.npy --key-lengths %s/key_lengths.npy --compare %s/reference.npy -o o.npy "
           "--weights w.npy",
           data, data, data, data, data);
    ck_assert_ptr_nonnull(strstr(last.out, "equal"));
    EXPECT(0, "compare w.npy %s/reference_weights.npy", data);
    EXPECT(0, "run %s/q.npy %s/k.npy %s/v.npy --mask %s/mask.npy --compare o.npy", data, data, data, data);
    EXPECT(1, "run %s/q.npy %s/k.npy %s/v.npy --compare o.npy", data, data, data);
    ck_assert_ptr_nonnull(strstr(last.out, "DIFFERENT"));
    EXPECT(0,
           "run %s/q.npy %s/k.npy %s/v.npy --key-lengths %s/key_lengths.npy --isa generic --threads 1 --compare o.npy",
           data, data, data, data);
}
END_TEST

START_TEST(small_results) {
    save_small();
    EXPECT(0, "run q.npy k.npy v.npy -o o.npy --lse l.npy --weights w.npy");
    check_values("o.npy", 4, (float[]){2, 20, 2, 20});
    check_values("l.npy", 2, (float[]){0.69314718f, 0.69314718f});
    check_values("w.npy", 4, (float[]){0.5f, 0.5f, 0.5f, 0.5f});
    check_shape("l.npy", SHAPE(2));
    EXPECT(0, "run q.npy k.npy v.npy -o o.npy --causal");
    check_values("o.npy", 4, (float[]){1, 10, 2, 20});
    EXPECT(0, "run q.npy k.npy v.npy -o o.npy --causal top-left --quiet");
    check_values("o.npy", 4, (float[]){1, 10, 2, 20});
    ck_assert_str_eq(last.out, "");
    EXPECT(0, "run q.npy k.npy v.npy -o o.npy --window 0,0");
    check_values("o.npy", 4, (float[]){1, 10, 3, 30});
    EXPECT(0, "run q.npy k.npy v.npy -o o.npy --window -1,-1");
    check_values("o.npy", 4, (float[]){2, 20, 2, 20});
    save("offsets.npy", NPY_I64, SHAPE(1), (int64_t[]){-1});
    EXPECT(0, "run q.npy k.npy v.npy -o o.npy --causal --query-offsets offsets.npy");
    check_values("o.npy", 4, (float[]){0, 0, 1, 10});
    save("mask.npy", NPY_BOOL, SHAPE(2), (uint8_t[]){0, 1});
    EXPECT(0, "run q.npy k.npy v.npy -o o.npy --mask mask.npy");
    check_values("o.npy", 4, (float[]){3, 30, 3, 30});
    save("mask.npy", NPY_U8, SHAPE(2, 1), (uint8_t[]){0, 7});
    EXPECT(0, "run q.npy k.npy v.npy -o o.npy --mask mask.npy");
    check_values("o.npy", 4, (float[]){0, 0, 2, 20});
    save("bias.npy", NPY_F32, SHAPE(1, 1, 2, 2), (float[]){0, -INFINITY, -INFINITY, 0});
    EXPECT(0, "run q.npy k.npy v.npy -o o.npy --bias bias.npy");
    check_values("o.npy", 4, (float[]){1, 10, 3, 30});
    save("lengths.npy", NPY_I32, SHAPE(1), (int32_t[]){1});
    EXPECT(0, "run q.npy k.npy v.npy -o o.npy --key-lengths lengths.npy");
    check_values("o.npy", 4, (float[]){1, 10, 1, 10});
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
    save("q.npy", NPY_F32, SHAPE(B, H, S, D), q);
    save("k.npy", NPY_F32, SHAPE(B, G, S, D), k);
    save("v.npy", NPY_F32, SHAPE(B, G, S, E), v);
    EXPECT(0, "run q.npy k.npy v.npy -o o.npy --lse l.npy");
    check_shape("o.npy", SHAPE(B, H, S, E));
    check_shape("l.npy", SHAPE(B, H, S));
    save("q.npy", NPY_F32, SHAPE(B, S, H, D), qt);
    save("k.npy", NPY_F32, SHAPE(B, S, G, D), kt);
    save("v.npy", NPY_F32, SHAPE(B, S, G, E), vt);
    EXPECT(0, "run q.npy k.npy v.npy --layout bshd -o t.npy --lse lt.npy");
    check_shape("t.npy", SHAPE(B, S, H, E));
    EXPECT(0, "compare l.npy lt.npy --tolerance 0");
    save("q.npy", NPY_F32, SHAPE(B, S, H * D), qt);
    save("k.npy", NPY_F32, SHAPE(B, S, G * D), kt);
    save("v.npy", NPY_F32, SHAPE(B, S, G * E), vt);
    EXPECT(0, "run q.npy k.npy v.npy --heads 4 --heads-kv 2 -o j.npy --weights w.npy");
    check_shape("j.npy", SHAPE(B, S, H * E));
    check_shape("w.npy", SHAPE(B, H, S, S));
    EXPECT(0, "run q.npy k.npy v.npy --heads 4 -o j2.npy");
    /* Weights take the way of two passes, which need not give the same bits. */
    EXPECT(0, "compare j.npy j2.npy --tolerance 1e-5");

    npy_array o = load("o.npy"), t = load("t.npy"), j = load("j2.npy");
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
    save("q.npy", NPY_F32, SHAPE(H, S, D), q);
    save("k.npy", NPY_F32, SHAPE(G, S, D), k);
    save("v.npy", NPY_F32, SHAPE(G, S, E), v);
    EXPECT(0, "run q.npy k.npy v.npy -o o3.npy --weights w.npy");
    check_shape("o3.npy", SHAPE(H, S, E));
    check_shape("w.npy", SHAPE(H, S, S));
}
END_TEST

START_TEST(empty) {
    save_random("q.npy", 1, SHAPE(0, 4));
    save_random("k.npy", 2, SHAPE(3, 4));
    save_random("v.npy", 3, SHAPE(3, 2));
    EXPECT(0, "run q.npy k.npy v.npy -o o.npy --weights w.npy");
    check_shape("o.npy", SHAPE(0, 2));
    check_shape("w.npy", SHAPE(0, 3));
    EXPECT(0, "run k.npy q.npy q.npy -o o.npy");
    check_values("o.npy", 12, (float[12]){0});
    save_random("none.npy", 4, SHAPE(0, 2, 3, 4));
    EXPECT(0, "run none.npy none.npy none.npy -o o.npy --lse l.npy");
    check_shape("l.npy", SHAPE(0, 2, 3));
}
END_TEST

START_TEST(comparisons) {
    const float a[3] = {1, NAN, INFINITY}, b[3] = {1.5f, NAN, INFINITY}, c[3] = {1, 2, INFINITY},
                d[3] = {1, NAN, -INFINITY};
    save("a.npy", NPY_F32, SHAPE(3), a);
    save("b.npy", NPY_F32, SHAPE(3), b);
    save("c.npy", NPY_F32, SHAPE(3), c);
    save("d.npy", NPY_F32, SHAPE(3), d);
    save("wide.npy", NPY_F32, SHAPE(1, 3), a);
    save("lengths.npy", NPY_I32, SHAPE(3), a);
    EXPECT(0, "compare a.npy a.npy --tolerance 0");
    EXPECT(1, "compare a.npy b.npy");
    ck_assert_ptr_nonnull(strstr(last.out, "element 0: 1, reference 1.5"));
    EXPECT(0, "compare a.npy b.npy --tolerance 0.5 -q");
    ck_assert_str_eq(last.out, "");
    EXPECT(1, "compare a.npy c.npy --tolerance 1e300");
    EXPECT(1, "compare a.npy d.npy --tolerance 1e300");
    EXPECT_ERROR(2, "shape", "compare a.npy wide.npy");
    EXPECT_ERROR(2, "two files", "compare a.npy");
    EXPECT_ERROR(2, "holds int32 where float32", "compare a.npy lengths.npy");
}
END_TEST

START_TEST(json) {
    save_small();
    EXPECT(0, "run q.npy k.npy v.npy -o o.npy --compare v.npy --tolerance 20 --json");
    ck_assert_ptr_nonnull(strstr(last.out, "\"shape\": [2, 2]"));
    ck_assert_ptr_nonnull(strstr(last.out, "\"max_difference\": 10, \"tolerance\": 20, \"equal\": true}\n"));
    EXPECT(0, "info --json");
    ck_assert_ptr_nonnull(strstr(last.out, "\"name\": \"generic\", \"compiled\": true, \"detected\": true"));
}
END_TEST

START_TEST(information) {
    EXPECT(0, "info");
    ck_assert_ptr_nonnull(strstr(last.out, "generic"));
    /* There may be nothing to cap. */
    const bool outranked = strstr(last.out, "outranks it");
    setenv("FOVEA_ISA", "generic", 1);
    EXPECT(0, "info");
    ck_assert(!outranked || strstr(last.out, "FOVEA_ISA caps at generic"));
    setenv("FOVEA_ISA", "sse9", 1);
    EXPECT_ERROR(2, "sse9", "info");
    save_small();
    EXPECT_ERROR(2, "sse9", "run q.npy k.npy v.npy -o o.npy");
}
END_TEST

START_TEST(benchmark) {
    EXPECT(0, "bench short decode --len 32 --heads 2 --dim 8 --rounds 2");
    ck_assert_ptr_nonnull(strstr(last.out, "\nshort "));
    ck_assert_ptr_nonnull(strstr(last.out, "\ndecode "));
    EXPECT_ERROR(2, "heads", "bench dense --heads 3 --heads-kv 2 --len 8");
}
END_TEST

/* ---- Bad input ---- */

START_TEST(bad_files) {
    save_small();
    save_random("k3.npy", 1, SHAPE(2, 3));
    save_random("k4.npy", 1, SHAPE(1, 2, 2));
    save_random("v3.npy", 1, SHAPE(3, 2));
    save_random("odd.npy", 1, SHAPE(2, 5));
    save_random("five.npy", 1, SHAPE(1, 1, 1, 2, 2));
    save_random("flat.npy", 1, SHAPE(4));
    save("double.npy", NPY_I64, SHAPE(2, 2), (int64_t[4]){0});
    save("lengths.npy", NPY_I64, SHAPE(1), (int64_t[]){3});
    save("negative.npy", NPY_I64, SHAPE(1), (int64_t[]){-1});
    save("lowest.npy", NPY_I64, SHAPE(1), (int64_t[]){INT64_MIN});
    save("two.npy", NPY_I64, SHAPE(2), (int64_t[]){1, 1});
    save("mask.npy", NPY_BOOL, SHAPE(3), (uint8_t[]){1, 1, 1});
    save_text("text.npy", "this is not an array");
    save_text("zero.npy", "");
    save_random("h3.npy", 1, SHAPE(3, 2, 2));
    save_random("h2.npy", 1, SHAPE(2, 2, 2));
    EXPECT_ERROR(2, "none.npy: No such file", "run none.npy k.npy v.npy -o o.npy");
    EXPECT_ERROR(2, "not a regular file", "run . k.npy v.npy -o o.npy");
    EXPECT_ERROR(2, "not a .npy file", "run q.npy text.npy v.npy -o o.npy");
    EXPECT_ERROR(2, "not a .npy file", "run q.npy k.npy zero.npy -o o.npy");
    EXPECT_ERROR(2, "holds int64 where float32", "run double.npy k.npy v.npy -o o.npy");
    EXPECT_ERROR(2, "head size 3, but q.npy has 2", "run q.npy k3.npy v.npy -o o.npy");
    EXPECT_ERROR(2, "dimensions 3, but q.npy has 2", "run q.npy k4.npy v.npy -o o.npy");
    EXPECT_ERROR(2, "keys 3, but k.npy has 2", "run q.npy k.npy v3.npy -o o.npy");
    EXPECT_ERROR(2, "1 dimensions where", "run flat.npy flat.npy flat.npy -o o.npy");
    EXPECT_ERROR(2, "5 dimensions where", "run five.npy five.npy five.npy -o o.npy");
    EXPECT_ERROR(2, "do not divide", "run odd.npy odd.npy odd.npy --heads 2 -o o.npy");
    EXPECT_ERROR(2, "heads_q", "run h3.npy h2.npy h2.npy -o o.npy");
    EXPECT_ERROR(2, "does not broadcast", "run q.npy k.npy v.npy --mask mask.npy -o o.npy");
    EXPECT_ERROR(2, "holds float32 where bool", "run q.npy k.npy v.npy --mask k.npy -o o.npy");
    EXPECT_ERROR(2, "holds bool where float32", "run q.npy k.npy v.npy --bias mask.npy -o o.npy");
    EXPECT_ERROR(2, "key_lengths", "run q.npy k.npy v.npy --key-lengths lengths.npy -o o.npy --heatmap");
    EXPECT_ERROR(2, "key_lengths", "run q.npy k.npy v.npy --key-lengths negative.npy -o o.npy --heatmap");
    EXPECT_ERROR(2, "key_lengths", "run q.npy k.npy v.npy --key-lengths lowest.npy -o o.npy --causal");
    EXPECT_ERROR(2, "one number for each of 1", "run q.npy k.npy v.npy --key-lengths two.npy -o o.npy");
    EXPECT_ERROR(2, "softcap", "run q.npy k.npy v.npy --softcap -1 -o o.npy");
    EXPECT_ERROR(2, "has shape", "run q.npy k.npy v.npy --compare flat.npy -o o.npy");
    EXPECT_ERROR(2, "there are 1 query heads", "run q.npy k.npy v.npy --heatmap --head 1 -o o.npy");
    EXPECT_ERROR(2, "there are 1 batch entries", "run q.npy k.npy v.npy --heatmap --entry 1 -o o.npy");
    EXPECT_ERROR(2, "there are 1 query heads", "run q.npy k.npy v.npy --heatmap-svg m.svg --head 1");
    EXPECT_ERROR(2, "there are 1 batch entries", "run q.npy k.npy v.npy --heatmap-svg m.svg --entry 1");
    EXPECT_ERROR(2, "No such file", "run q.npy k.npy v.npy --heatmap --tokens none.txt -o o.npy");
    EXPECT_ERROR(2, "not a regular file", "run q.npy k.npy v.npy --heatmap --tokens /dev/zero -o o.npy");
    ck_assert_int_eq(mkfifo("fifo.txt", 0600), 0);
    EXPECT_ERROR(2, "not a regular file", "run q.npy k.npy v.npy --heatmap --tokens fifo.txt -o o.npy");
    save_text("sparse.txt", "a b");
    ck_assert_int_eq(truncate("sparse.txt", (off_t)1 << 40), 0);
    EXPECT_ERROR(2, "larger than", "run q.npy k.npy v.npy --heatmap --tokens sparse.txt -o o.npy");
    save_text("tokens.txt", "one two three\n");
    EXPECT_ERROR(2, "3 tokens", "run q.npy k.npy v.npy --heatmap --tokens tokens.txt -o o.npy");
    save_text("tokens.txt", "\n");
    EXPECT_ERROR(2, "no tokens", "run q.npy k.npy v.npy --heatmap --tokens tokens.txt -o o.npy");
    ck_assert_int_eq(count_files("o.npy"), 0);
}
END_TEST

/* Shapes without elements cost no bytes, so that they may hold any length: neither they nor the work may be counted
 * through. */
START_TEST(absurd_shapes) {
    save("narrow.npy", NPY_F32, SHAPE((int64_t)1 << 40, 0), "");
    save("headless.npy", NPY_F32, SHAPE((int64_t)1 << 40, 0, 4, 4), "");
    save("rowless.npy", NPY_F32, SHAPE((int64_t)1 << 40, 1, 0, 4), "");
    EXPECT_ERROR(2, "head_dim", "run narrow.npy narrow.npy narrow.npy -o o.npy");
    EXPECT_ERROR(2, "head_dim", "run narrow.npy narrow.npy narrow.npy --heatmap");
    ck_assert_int_eq(count_files("o.npy"), 0);
    EXPECT(0, "run headless.npy headless.npy headless.npy -o o.npy");
    check_shape("o.npy", SHAPE((int64_t)1 << 40, 0, 4, 4));
    EXPECT(0, "run rowless.npy rowless.npy rowless.npy -o o.npy --causal");
    check_shape("o.npy", SHAPE((int64_t)1 << 40, 1, 0, 4));
}
END_TEST

/* ---- Output files ---- */

START_TEST(output_names) {
    save_small();
    EXPECT_ERROR(2, "No such file", "run q.npy k.npy v.npy -o nowhere/o.npy");
    EXPECT_ERROR(2, "not a regular file", "run q.npy k.npy v.npy -o .");
    EXPECT_ERROR(2, "standard output", "run q.npy k.npy v.npy -o -");
    EXPECT_ERROR(2, "standard output", "run q.npy k.npy v.npy --heatmap-svg -");
    EXPECT_ERROR(2, "two outputs", "run q.npy k.npy v.npy -o o.npy --lse o.npy");
    ck_assert_int_eq(mkfifo("fifo", 0600), 0);
    EXPECT_ERROR(2, "not a regular file", "run q.npy k.npy v.npy -o fifo");
    ck_assert_int_eq(count_files("o.npy"), 0);

    /* A file that exists is replaced and keeps its mode; a link stays a link. */
    struct stat about;
    save_text("old.npy", "old");
    ck_assert_int_eq(chmod("old.npy", 0640), 0);
    ck_assert_int_eq(symlink("old.npy", "link.npy"), 0);
    EXPECT(0, "run q.npy k.npy v.npy -o link.npy");
    ck_assert_int_eq(lstat("link.npy", &about), 0);
    ck_assert(S_ISLNK(about.st_mode));
    ck_assert_int_eq(stat("old.npy", &about), 0);
    ck_assert_int_eq(about.st_mode & 0777, 0640);
    check_values("old.npy", 4, (float[]){2, 20, 2, 20});
    /* An input may be replaced: it was read before. */
    EXPECT(0, "run q.npy k.npy v.npy -o q.npy");
    check_values("q.npy", 4, (float[]){2, 20, 2, 20});
}
END_TEST

/* A limit on the file size stands for a full disk. Thread sanitizers write larger files themselves when they start. */
#if defined(__SANITIZE_THREAD__)
#define THREAD_SANITIZER 1
#elif defined(__has_feature)
#define THREAD_SANITIZER __has_feature(thread_sanitizer)
#else
#define THREAD_SANITIZER 0
#endif

#if !THREAD_SANITIZER
START_TEST(full_disk) {
    struct rlimit limit;
    save_random("q.npy", 1, SHAPE(64, 64));
    save_text("o.npy", "old");
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = 4096;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    EXPECT_ERROR(3, "cannot write", "run q.npy q.npy q.npy -o o.npy --lse l.npy");
    ck_assert_int_eq(count_files("o.npy"), 1);
    ck_assert_int_eq(count_files("l.npy"), 0);
    char text[TEXT_MAX];
    read_text("o.npy", text);
    ck_assert_str_eq(text, "old");
}
END_TEST
#endif

static void rest(void) {
    nanosleep(&(struct timespec){.tv_nsec = 10 * 1000 * 1000}, NULL);
}

static pid_t start_job(int err, const char *format, ...) __attribute__((format(printf, 2, 3)));

static pid_t start_job(int err, const char *format, ...) {
    va_list words;
    va_start(words, format);
    pid_t child = start(err, err, format, words);
    va_end(words);
    return child;
}

/* Work of seconds: tens of billions of products. */
static void save_large(void) {
    save_random("q.npy", 1, SHAPE(24000, 64));
}

START_TEST(interrupted) {
    int null = open("/dev/null", O_RDWR);
    save_large();
    pid_t child = start_job(null, "run q.npy q.npy q.npy -o o.npy --isa generic");
    /* The temporary file is there as soon as the work starts. */
    for (int wait = 0; count_files("o.npy") == 0 && wait < 2000; wait++)
        rest();
    ck_assert_int_eq(count_files("o.npy"), 1);
    ck_assert_int_eq(kill(child, SIGTERM), 0);
    ck_assert_int_eq(wait_status(child), 128 + SIGTERM);
    ck_assert_int_eq(count_files("o.npy"), 0);
    close(null);
}
END_TEST

/* ---- Pictures ---- */

static void save_sentence(void) {
    save_random("q.npy", 7, SHAPE(1, 2, 3, 4));
    save_text("tokens.txt", "<a&\"b> w\xc3\xb6rd \x01\xff\n");
}

START_TEST(heat_map_text) {
    save_sentence();
    EXPECT(0, "run q.npy q.npy q.npy --heatmap --tokens tokens.txt --head 1 --causal --title A~title -q");
    ck_assert_int_eq(strncmp(last.out, "A title\n", 8), 0);
    for (const char *c = last.out; *c; c++)
        ck_assert_msg(*c == '\n' || (*c >= 0x20 && *c < 0x7f), "byte %d", *c);
    ck_assert_ptr_nonnull(strstr(last.out, "-> 100 % <a&\"b>"));
    ck_assert_ptr_nonnull(strstr(last.out, "w?rd |"));
    EXPECT(0, "run q.npy q.npy q.npy --heatmap --title a\x1b[31mx\nb\xc3\xb6 -q");
    ck_assert_int_eq(strncmp(last.out, "a?[31mx?b?\n", 11), 0);
    /* Without labels: numbers. More than there is room for: cut, and said. */
    save_random("q.npy", 7, SHAPE(200, 4));
    EXPECT(0, "run q.npy q.npy q.npy --heatmap");
    ck_assert_ptr_nonnull(strstr(last.out, "127 |"));
    ck_assert_ptr_nonnull(strstr(last.out, "the first 128 of 200 rows and 128 of 200 columns"));
}
END_TEST

/* The map of a head does not depend on how much of it is shown: diagonals stay where they are. */
START_TEST(heat_map_values) {
    const float zero[600] = {0};
    save("q.npy", NPY_F32, SHAPE(300, 2), zero);
    save("k.npy", NPY_F32, SHAPE(2, 2), zero);
    EXPECT(0, "run q.npy k.npy k.npy --heatmap --causal top-left");
    ck_assert_ptr_nonnull(strstr(last.out, "  0 |@@  | -> 100 % 0\n  1 |++++| ->  50 % 0\n"));
    EXPECT(0, "run q.npy k.npy k.npy --heatmap --causal");
    ck_assert_ptr_nonnull(strstr(last.out, "  0 |    | \n"));
    ck_assert_ptr_nonnull(strstr(last.out, "127 |    | \n"));
}
END_TEST

START_TEST(heat_map_svg) {
    char text[TEXT_MAX];
    save_sentence();
    EXPECT(0, "run q.npy q.npy q.npy --heatmap-svg map.svg --tokens tokens.txt --title <&>");
    read_text("map.svg", text);
    ck_assert_int_eq(strncmp(text, "<?xml version=\"1.0\"", 19), 0);
    ck_assert_ptr_nonnull(strstr(text, ">&lt;&amp;&gt;</text>"));
    ck_assert_ptr_nonnull(strstr(text, ">&lt;a&amp;&quot;b&gt;</text>"));
    ck_assert_ptr_nonnull(strstr(text, ">w\xc3\xb6rd</text>"));
    ck_assert_ptr_nonnull(strstr(text, ">?"
                                       "?</text>"));
    ck_assert_ptr_nonnull(strstr(text, "</svg>\n"));
    /* As many elements close as open. */
    int depth = 0;
    for (const char *c = text; (c = strchr(c, '<')); c++) {
        const char *end = strchr(c, '>');
        ck_assert_ptr_nonnull(end);
        depth += c[1] == '?' || end[-1] == '/' ? 0 : c[1] == '/' ? -1 : 1;
        ck_assert_int_ge(depth, 0);
    }
    ck_assert_int_eq(depth, 0);
}
END_TEST

/* ---- Terminals ---- */

/* Runs the program on a terminal of its own and reads until `until` appears or it ends; then stops it. */
static void on_terminal(const char *command, const char *until, char *text) {
    size_t size = 0;
    int terminal = posix_openpt(O_RDWR | O_NOCTTY);
    ck_assert(terminal >= 0 && grantpt(terminal) == 0 && unlockpt(terminal) == 0);
    int other = open(ptsname(terminal), O_RDWR | O_NOCTTY);
    ck_assert_int_ge(other, 0);
    ck_assert_int_eq(ioctl(terminal, TIOCSWINSZ, &(struct winsize){.ws_row = 25, .ws_col = 80}), 0);
    setenv("TERM", "xterm-256color", 1);
    pid_t child = start_job(other, "%s", command);
    close(other);
    text[0] = '\0';
    while (size < TEXT_MAX - 1 && !strstr(text, until)) {
        ssize_t n = read(terminal, text + size, TEXT_MAX - 1 - size);
        /* The end of the child is an error of the terminal. */
        if (n <= 0)
            break;
        size += (size_t)n;
        text[size] = '\0';
    }
    kill(child, SIGKILL);
    wait_status(child);
    close(terminal);
}

START_TEST(colours) {
    char text[TEXT_MAX];
    save_sentence();
    on_terminal("run q.npy q.npy q.npy --heatmap --tokens tokens.txt", "keys", text);
    ck_assert_ptr_nonnull(strstr(text, "\x1b[48;5;"));
    setenv("NO_COLOR", "1", 1);
    on_terminal("run q.npy q.npy q.npy --heatmap --tokens tokens.txt", "keys", text);
    ck_assert_ptr_null(strchr(text, '\x1b'));
    unsetenv("NO_COLOR");
    save_random("q.npy", 7, SHAPE(100, 4));
    on_terminal("run q.npy q.npy q.npy --heatmap", "columns\r\n", text);
    ck_assert_ptr_nonnull(strstr(text, "the terminal has room for"));
}
END_TEST

START_TEST(progress_line) {
    char text[TEXT_MAX];
    save_large();
    on_terminal("run q.npy q.npy q.npy -o o.npy --threads 1 --isa generic", "s left", text);
    ck_assert_msg(strstr(text, "%,"), "%.1000s", text);
}
END_TEST

static void add(Suite *suite, const char *name, const TTest *function) {
    TCase *test = tcase_create(name);
    /* Sanitizers and emulators take their time. */
    tcase_set_timeout(test, 300);
    tcase_add_checked_fixture(test, enter_folder, remove_folder);
    tcase_add_test(test, function);
    suite_add_tcase(suite, test);
}

Suite *cli_suite(void);

Suite *cli_suite(void) {
    Suite *suite = suite_create("cli");
    add(suite, "help", help);
    add(suite, "usage_errors", usage_errors);
    add(suite, "hostile_names", hostile_names);
    add(suite, "real_model", real_model);
    add(suite, "small_results", small_results);
    add(suite, "layouts", layouts);
    add(suite, "empty", empty);
    add(suite, "comparisons", comparisons);
    add(suite, "json", json);
    add(suite, "information", information);
    add(suite, "benchmark", benchmark);
    add(suite, "bad_files", bad_files);
    add(suite, "absurd_shapes", absurd_shapes);
    add(suite, "output_names", output_names);
#if !THREAD_SANITIZER
    add(suite, "full_disk", full_disk);
#endif
    add(suite, "interrupted", interrupted);
    add(suite, "heat_map_text", heat_map_text);
    add(suite, "heat_map_values", heat_map_values);
    add(suite, "heat_map_svg", heat_map_svg);
    add(suite, "colours", colours);
    add(suite, "progress_line", progress_line);
    return suite;
}
