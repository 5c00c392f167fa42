/* The program `fovea` in a folder of its own, and the files that it reads and writes.
 *
 * FOVEA_CLI is the program, FOVEA_SOURCE the root of the source tree, FOVEA_TEST_WRAPPER the words of an emulator's
 * command line that come before the program. */
#ifndef FOVEA_TESTS_CLI_H
#define FOVEA_TESTS_CLI_H

#include <check.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>

#include "cli/npy.h"

enum { CLI_TEXT_MAX = 1 << 16 };

/* --- Running it --- */

/* What a finished run left. */
typedef struct cli_outcome {
    /* Exit status, or 128 + signal. */
    int status;
    char out[CLI_TEXT_MAX];
    char err[CLI_TEXT_MAX];
} cli_outcome;

extern cli_outcome cli_last;

/* Runs the program to its end; the outcome is in cli_last, the exit status is returned too. The command line is words
 * separated by spaces; %s stands for words of any text, and a word that must hold a space has '~' for it. */
int cli_run(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Starts it with both outputs going to a file. */
pid_t cli_start(int output, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Waits for its end: the exit status, or 128 + signal. */
int cli_wait(pid_t child);

#define CLI_EXPECT(wanted, ...)                                                                             \
    do {                                                                                                    \
        int status_ = cli_run(__VA_ARGS__);                                                                 \
        ck_assert_msg(status_ == (wanted), "exit status %d instead of %d\n%.1000s%.1000s", status_, wanted, \
                      cli_last.out, cli_last.err);                                                          \
    } while (0)

/* A failure is one line that starts with the program's name, and says `reason`. */
#define CLI_EXPECT_ERROR(wanted, reason, ...)                                                             \
    do {                                                                                                  \
        CLI_EXPECT(wanted, __VA_ARGS__);                                                                  \
        ck_assert_msg(strncmp(cli_last.err, "fovea: ", 7) == 0 &&                                         \
                          strchr(cli_last.err, '\n') == cli_last.err + strlen(cli_last.err) - 1,          \
                      "not one line: %.1000s", cli_last.err);                                             \
        ck_assert_msg(strstr(cli_last.err, reason), "'%.1000s' does not say '%s'", cli_last.err, reason); \
    } while (0)

/* --- Files in the folder --- */

/* A file of the source tree; valid until the fourth call after it. */
const char *cli_source(const char *relative);

/* Reads at most CLI_TEXT_MAX - 1 bytes. */
void cli_read_text(const char *path, char *text);
void cli_save_text(const char *name, const char *text);

/* The rank and the sizes, as two arguments. */
#define CLI_SHAPE(...)                                                           \
    (int32_t)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (int64_t[]) { \
        __VA_ARGS__                                                              \
    }

void cli_save(const char *name, npy_type type, int32_t rank, const int64_t *shape, const void *data);

/* Numbers in [-1, 1) that `seed` determines. */
void cli_save_random(const char *name, uint32_t seed, int32_t rank, const int64_t *shape);

/* q.npy, k.npy and v.npy: two query rows, two keys, zero scores, so that every visible key counts alike. */
void cli_save_small(void);

/* q.npy for work of seconds: tens of billions of products. */
void cli_save_large(void);

npy_array cli_load(const char *name);
void cli_check_shape(const char *name, int32_t rank, const int64_t *shape);
void cli_check_values(const char *name, int64_t count, const float *expected);

/* Names that start with `start`, for what is left behind. */
int cli_count_files(const char *start);

/* --- Suites --- */

/* Adds a test that runs in the folder, which is then removed. */
void cli_add(Suite *suite, const char *name, const TTest *function);

#endif
