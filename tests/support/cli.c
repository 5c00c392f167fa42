#include "cli.h"

#include <dirent.h>
#include <fcntl.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ARGUMENTS_MAX = 40 };

cli_outcome cli_last;

/* The folder of a test, which is also its working directory. */
static char folder[] = "/tmp/fovea-cli-XXXXXX";

static const char *environment(const char *name) {
    const char *value = getenv(name);
    ck_assert_msg(value, "%s is not set: run the tests through Meson", name);
    return value;
}

const char *cli_source(const char *relative) {
    static char paths[4][512];
    static int next;
    next = (next + 1) % 4;
    snprintf(paths[next], sizeof paths[next], "%s/%s", environment("FOVEA_SOURCE"), relative);
    return paths[next];
}

void cli_read_text(const char *path, char *text) {
    FILE *file = fopen(path, "rb");
    ck_assert_ptr_nonnull(file);
    text[fread(text, 1, CLI_TEXT_MAX - 1, file)] = '\0';
    fclose(file);
}

static pid_t start(int out, int err, const char *format, va_list words) __attribute__((format(printf, 3, 0)));

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

pid_t cli_start(int output, const char *format, ...) {
    va_list words;
    va_start(words, format);
    pid_t child = start(output, output, format, words);
    va_end(words);
    return child;
}

int cli_wait(pid_t child) {
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int cli_run(const char *format, ...) {
    va_list words;
    int out = open("stdout.txt", O_RDWR | O_CREAT | O_TRUNC, 0600),
        err = open("stderr.txt", O_RDWR | O_CREAT | O_TRUNC, 0600);
    ck_assert(out >= 0 && err >= 0);
    va_start(words, format);
    pid_t child = start(out, err, format, words);
    va_end(words);
    cli_last.status = cli_wait(child);
    close(out);
    close(err);
    cli_read_text("stdout.txt", cli_last.out);
    cli_read_text("stderr.txt", cli_last.err);
    unlink("stdout.txt");
    unlink("stderr.txt");
    return cli_last.status;
}

static void save_bytes(const char *name, const void *bytes, size_t size) {
    FILE *file = fopen(name, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, size, file), size);
    ck_assert_int_eq(fclose(file), 0);
}

void cli_save_text(const char *name, const char *text) {
    save_bytes(name, text, strlen(text));
}

void cli_save(const char *name, npy_type type, int32_t rank, const int64_t *shape, const void *data) {
    FILE *file = fopen(name, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert(npy_write(file, type, rank, shape, data));
    ck_assert_int_eq(fclose(file), 0);
}

void cli_save_random(const char *name, uint32_t seed, int32_t rank, const int64_t *shape) {
    size_t count = 1;
    for (int32_t i = 0; i < rank; i++)
        count *= (size_t)shape[i];
    float *data = malloc((count + 1) * sizeof *data);
    ck_assert_ptr_nonnull(data);
    for (size_t i = 0; i < count; i++) {
        seed = seed * 1664525u + 1013904223u;
        data[i] = (float)(seed >> 8) * 0x1p-23f - 1;
    }
    cli_save(name, NPY_F32, rank, shape, data);
    free(data);
}

npy_array cli_load(const char *name) {
    npy_array a;
    npy_error error;
    ck_assert_msg(npy_load(name, &a, &error) == NPY_OK, "%s: %s", name, error.text);
    return a;
}

void cli_check_shape(const char *name, int32_t rank, const int64_t *shape) {
    npy_array a = cli_load(name);
    ck_assert_int_eq(a.header.rank, rank);
    ck_assert_mem_eq(a.header.shape, shape, (size_t)rank * sizeof *shape);
    npy_free(&a);
}

void cli_check_values(const char *name, int64_t count, const float *expected) {
    npy_array a = cli_load(name);
    const float *actual = a.data;
    ck_assert_int_eq(a.header.count, count);
    for (int64_t i = 0; i < count; i++)
        /* Infinities are equal, though their difference is none. */
        ck_assert_msg(actual[i] == expected[i] || fabsf(actual[i] - expected[i]) < 1e-6f, "%s[%lld] is %g, not %g",
                      name, (long long)i, (double)actual[i], (double)expected[i]);
    npy_free(&a);
}

int cli_count_files(const char *start) {
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

void cli_save_small(void) {
    const float zero[4] = {0}, v[4] = {1, 10, 3, 30};
    cli_save("q.npy", NPY_F32, CLI_SHAPE(2, 2), zero);
    cli_save("k.npy", NPY_F32, CLI_SHAPE(2, 2), zero);
    cli_save("v.npy", NPY_F32, CLI_SHAPE(2, 2), v);
}

void cli_save_large(void) {
    cli_save_random("q.npy", 1, CLI_SHAPE(24000, 64));
}

void cli_add(Suite *suite, const char *name, const TTest *function) {
    TCase *test = tcase_create(name);
    /* Sanitizers and emulators take their time. */
    tcase_set_timeout(test, 300);
    tcase_add_checked_fixture(test, enter_folder, remove_folder);
    tcase_add_test(test, function);
    suite_add_tcase(suite, test);
}
