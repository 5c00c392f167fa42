/* Files that `fovea run` cannot take, and those that it must leave whole or not at all. */
#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "support/cli.h"

/* ---- Bad input ---- */

START_TEST(bad_files) {
    cli_save_small();
    cli_save_random("k3.npy", 1, CLI_SHAPE(2, 3));
    cli_save_random("k4.npy", 1, CLI_SHAPE(1, 2, 2));
    cli_save_random("v3.npy", 1, CLI_SHAPE(3, 2));
    cli_save_random("odd.npy", 1, CLI_SHAPE(2, 5));
    cli_save_random("five.npy", 1, CLI_SHAPE(1, 1, 1, 2, 2));
    cli_save_random("flat.npy", 1, CLI_SHAPE(4));
    cli_save("double.npy", NPY_I64, CLI_SHAPE(2, 2), (int64_t[4]){0});
    cli_save("lengths.npy", NPY_I64, CLI_SHAPE(1), (int64_t[]){3});
    cli_save("negative.npy", NPY_I64, CLI_SHAPE(1), (int64_t[]){-1});
    cli_save("lowest.npy", NPY_I64, CLI_SHAPE(1), (int64_t[]){INT64_MIN});
    cli_save("two.npy", NPY_I64, CLI_SHAPE(2), (int64_t[]){1, 1});
    cli_save("mask.npy", NPY_BOOL, CLI_SHAPE(3), (uint8_t[]){1, 1, 1});
    cli_save_text("text.npy", "this is not an array");
    cli_save_text("zero.npy", "");
    cli_save_random("h3.npy", 1, CLI_SHAPE(3, 2, 2));
    cli_save_random("h2.npy", 1, CLI_SHAPE(2, 2, 2));
    CLI_EXPECT_ERROR(2, "none.npy: No such file", "run none.npy k.npy v.npy -o o.npy");
    CLI_EXPECT_ERROR(2, "not a regular file", "run . k.npy v.npy -o o.npy");
    CLI_EXPECT_ERROR(2, "not a .npy file", "run q.npy text.npy v.npy -o o.npy");
    CLI_EXPECT_ERROR(2, "not a .npy file", "run q.npy k.npy zero.npy -o o.npy");
    CLI_EXPECT_ERROR(2, "holds int64 where float32", "run double.npy k.npy v.npy -o o.npy");
    CLI_EXPECT_ERROR(2, "head size 3, but q.npy has 2", "run q.npy k3.npy v.npy -o o.npy");
    CLI_EXPECT_ERROR(2, "dimensions 3, but q.npy has 2", "run q.npy k4.npy v.npy -o o.npy");
    CLI_EXPECT_ERROR(2, "keys 3, but k.npy has 2", "run q.npy k.npy v3.npy -o o.npy");
    CLI_EXPECT_ERROR(2, "1 dimensions where", "run flat.npy flat.npy flat.npy -o o.npy");
    CLI_EXPECT_ERROR(2, "5 dimensions where", "run five.npy five.npy five.npy -o o.npy");
    CLI_EXPECT_ERROR(2, "do not divide", "run odd.npy odd.npy odd.npy --heads 2 -o o.npy");
    CLI_EXPECT_ERROR(2, "heads_q", "run h3.npy h2.npy h2.npy -o o.npy");
    CLI_EXPECT_ERROR(2, "does not broadcast", "run q.npy k.npy v.npy --mask mask.npy -o o.npy");
    CLI_EXPECT_ERROR(2, "holds float32 where bool", "run q.npy k.npy v.npy --mask k.npy -o o.npy");
    CLI_EXPECT_ERROR(2, "holds bool where float32", "run q.npy k.npy v.npy --bias mask.npy -o o.npy");
    CLI_EXPECT_ERROR(2, "does not broadcast to (batch, heads) = (1, 1)",
                     "run q.npy k.npy v.npy --alibi-slopes q.npy -o o.npy");
    CLI_EXPECT_ERROR(2, "holds bool where float32", "run q.npy k.npy v.npy --alibi-slopes mask.npy -o o.npy");
    CLI_EXPECT_ERROR(2, "one number for each of 1 query heads", "run q.npy k.npy v.npy --sinks flat.npy -o o.npy");
    CLI_EXPECT_ERROR(2, "one number for each of 1 query heads", "run q.npy k.npy v.npy --sinks q.npy -o o.npy");
    CLI_EXPECT_ERROR(2, "holds int64 where float32", "run q.npy k.npy v.npy --sinks two.npy -o o.npy");
    CLI_EXPECT_ERROR(2, "key_lengths", "run q.npy k.npy v.npy --key-lengths lengths.npy -o o.npy --heatmap");
    CLI_EXPECT_ERROR(2, "key_lengths", "run q.npy k.npy v.npy --key-lengths negative.npy -o o.npy --heatmap");
    CLI_EXPECT_ERROR(2, "key_lengths", "run q.npy k.npy v.npy --key-lengths lowest.npy -o o.npy --causal");
    CLI_EXPECT_ERROR(2, "one number for each of 1", "run q.npy k.npy v.npy --key-lengths two.npy -o o.npy");
    CLI_EXPECT_ERROR(2, "softcap", "run q.npy k.npy v.npy --softcap -1 -o o.npy");
    CLI_EXPECT_ERROR(2, "has shape", "run q.npy k.npy v.npy --compare flat.npy -o o.npy");
    CLI_EXPECT_ERROR(2, "there are 1 query heads", "run q.npy k.npy v.npy --heatmap --head 1 -o o.npy");
    CLI_EXPECT_ERROR(2, "there are 1 batch entries", "run q.npy k.npy v.npy --heatmap --entry 1 -o o.npy");
    CLI_EXPECT_ERROR(2, "there are 1 query heads", "run q.npy k.npy v.npy --heatmap-svg m.svg --head 1");
    CLI_EXPECT_ERROR(2, "there are 1 batch entries", "run q.npy k.npy v.npy --heatmap-svg m.svg --entry 1");
    CLI_EXPECT_ERROR(2, "No such file", "run q.npy k.npy v.npy --heatmap --tokens none.txt -o o.npy");
    CLI_EXPECT_ERROR(2, "not a regular file", "run q.npy k.npy v.npy --heatmap --tokens /dev/zero -o o.npy");
    ck_assert_int_eq(mkfifo("fifo.txt", 0600), 0);
    CLI_EXPECT_ERROR(2, "not a regular file", "run q.npy k.npy v.npy --heatmap --tokens fifo.txt -o o.npy");
    cli_save_text("sparse.txt", "a b");
    ck_assert_int_eq(truncate("sparse.txt", (off_t)1 << 40), 0);
    CLI_EXPECT_ERROR(2, "larger than", "run q.npy k.npy v.npy --heatmap --tokens sparse.txt -o o.npy");
    cli_save_text("tokens.txt", "one two three\n");
    CLI_EXPECT_ERROR(2, "3 tokens", "run q.npy k.npy v.npy --heatmap --tokens tokens.txt -o o.npy");
    cli_save_text("tokens.txt", "\n");
    CLI_EXPECT_ERROR(2, "no tokens", "run q.npy k.npy v.npy --heatmap --tokens tokens.txt -o o.npy");
    ck_assert_int_eq(cli_count_files("o.npy"), 0);
}
END_TEST

/* Shapes without elements cost no bytes, so that they may hold any length: neither they nor the work may be counted
 * through. */
START_TEST(absurd_shapes) {
    cli_save("narrow.npy", NPY_F32, CLI_SHAPE((int64_t)1 << 40, 0), "");
    cli_save("headless.npy", NPY_F32, CLI_SHAPE((int64_t)1 << 40, 0, 4, 4), "");
    cli_save("rowless.npy", NPY_F32, CLI_SHAPE((int64_t)1 << 40, 1, 0, 4), "");
    CLI_EXPECT_ERROR(2, "head_dim", "run narrow.npy narrow.npy narrow.npy -o o.npy");
    CLI_EXPECT_ERROR(2, "head_dim", "run narrow.npy narrow.npy narrow.npy --heatmap");
    ck_assert_int_eq(cli_count_files("o.npy"), 0);
    CLI_EXPECT(0, "run headless.npy headless.npy headless.npy -o o.npy");
    cli_check_shape("o.npy", CLI_SHAPE((int64_t)1 << 40, 0, 4, 4));
    CLI_EXPECT(0, "run rowless.npy rowless.npy rowless.npy -o o.npy --causal");
    cli_check_shape("o.npy", CLI_SHAPE((int64_t)1 << 40, 1, 0, 4));
}
END_TEST

/* ---- Output files ---- */

START_TEST(output_names) {
    cli_save_small();
    CLI_EXPECT_ERROR(2, "No such file", "run q.npy k.npy v.npy -o nowhere/o.npy");
    CLI_EXPECT_ERROR(2, "not a regular file", "run q.npy k.npy v.npy -o .");
    CLI_EXPECT_ERROR(2, "standard output", "run q.npy k.npy v.npy -o -");
    CLI_EXPECT_ERROR(2, "standard output", "run q.npy k.npy v.npy --heatmap-svg -");
    CLI_EXPECT_ERROR(2, "two outputs", "run q.npy k.npy v.npy -o o.npy --lse o.npy");
    ck_assert_int_eq(mkfifo("fifo", 0600), 0);
    CLI_EXPECT_ERROR(2, "not a regular file", "run q.npy k.npy v.npy -o fifo");
    ck_assert_int_eq(cli_count_files("o.npy"), 0);

    /* A file that exists is replaced and keeps its mode; a link stays a link. */
    struct stat about;
    cli_save_text("old.npy", "old");
    ck_assert_int_eq(chmod("old.npy", 0640), 0);
    ck_assert_int_eq(symlink("old.npy", "link.npy"), 0);
    CLI_EXPECT(0, "run q.npy k.npy v.npy -o link.npy");
    ck_assert_int_eq(lstat("link.npy", &about), 0);
    ck_assert(S_ISLNK(about.st_mode));
    ck_assert_int_eq(stat("old.npy", &about), 0);
    ck_assert_int_eq(about.st_mode & 0777, 0640);
    cli_check_values("old.npy", 4, (float[]){2, 20, 2, 20});
    /* An input may be replaced: it was read before. */
    CLI_EXPECT(0, "run q.npy k.npy v.npy -o q.npy");
    cli_check_values("q.npy", 4, (float[]){2, 20, 2, 20});
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
    cli_save_random("q.npy", 1, CLI_SHAPE(64, 64));
    cli_save_text("o.npy", "old");
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = 4096;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    CLI_EXPECT_ERROR(3, "cannot write", "run q.npy q.npy q.npy -o o.npy --lse l.npy");
    ck_assert_int_eq(cli_count_files("o.npy"), 1);
    ck_assert_int_eq(cli_count_files("l.npy"), 0);
    char text[CLI_TEXT_MAX];
    cli_read_text("o.npy", text);
    ck_assert_str_eq(text, "old");
}
END_TEST
#endif

static void rest(void) {
    nanosleep(&(struct timespec){.tv_nsec = 10 * 1000 * 1000}, NULL);
}

START_TEST(interrupted) {
    int null = open("/dev/null", O_RDWR);
    cli_save_large();
    pid_t child = cli_start(null, "run q.npy q.npy q.npy -o o.npy --isa generic");
    /* The temporary file is there as soon as the work starts. */
    for (int wait = 0; cli_count_files("o.npy") == 0 && wait < 2000; wait++)
        rest();
    ck_assert_int_eq(cli_count_files("o.npy"), 1);
    ck_assert_int_eq(kill(child, SIGTERM), 0);
    ck_assert_int_eq(cli_wait(child), 128 + SIGTERM);
    ck_assert_int_eq(cli_count_files("o.npy"), 0);
    close(null);
}
END_TEST

Suite *cli_files_suite(void);

Suite *cli_files_suite(void) {
    Suite *suite = suite_create("cli_files");
    cli_add(suite, "bad_files", bad_files);
    cli_add(suite, "absurd_shapes", absurd_shapes);
    cli_add(suite, "output_names", output_names);
#if !THREAD_SANITIZER
    cli_add(suite, "full_disk", full_disk);
#endif
    cli_add(suite, "interrupted", interrupted);
    return suite;
}
