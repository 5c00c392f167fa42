/* The fuzzers' targets under Check: each file of the corpus, and bytes at random. */
#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/targets.h"
#include "support/random.h"

static const struct {
    const char *name;
    void (*feed)(const uint8_t *bytes, size_t size);
    /* Bytes of random inputs: about what a target reads. */
    size_t most;
    int64_t rounds;
} targets[] = {
    {"attention", fuzz_attention, 200, 200},
    {"arguments", fuzz_arguments, 250, 3000},
    {"npy", fuzz_npy, 40, 3000},
};
enum { TARGETS = sizeof targets / sizeof *targets, LARGEST_FILE = 4096 };

static void feed_file(int target, const char *folder, const char *name) {
    char path[1000];
    unsigned char bytes[LARGEST_FILE];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    ck_assert_msg(file != NULL, "%s", path);
    const size_t size = fread(bytes, 1, sizeof bytes, file);
    ck_assert_uint_lt(size, sizeof bytes);
    fclose(file);
    targets[target].feed(bytes, size);
}

START_TEST(the_corpus) {
    char folder[500];
    const char *source = getenv("FOVEA_SOURCE");
    ck_assert_ptr_nonnull(source);
    snprintf(folder, sizeof folder, "%s/tests/fuzz/corpus/%s", source, targets[_i].name);
    DIR *directory = opendir(folder);
    ck_assert_msg(directory != NULL, "%s", folder);
    int64_t files = 0;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        if (entry->d_name[0] != '.' && test_takes(files++, _i)) {
            feed_file(_i, folder, entry->d_name);
        }
    }
    closedir(directory);
    ck_assert_int_gt(files, 0);
}
END_TEST

START_TEST(random_bytes) {
    unsigned char bytes[LARGEST_FILE];
    test_random random = test_random_named(targets[_i].name, 0);
    for (int64_t round = test_scaled(targets[_i].rounds); round > 0; round--) {
        const size_t size = (size_t)random_between(&random, 0, (int64_t)targets[_i].most);
        for (size_t i = 0; i < size; i++) {
            bytes[i] = (unsigned char)random_bits(&random);
        }
        targets[_i].feed(bytes, size);
    }
}
END_TEST

Suite *fuzz_suite(void);

Suite *fuzz_suite(void) {
    Suite *suite = suite_create("fuzz");
    TCase *tcase = tcase_create("every target");
    tcase_add_loop_test(tcase, the_corpus, 0, TARGETS);
    tcase_add_loop_test(tcase, random_bytes, 0, TARGETS);
    suite_add_tcase(suite, tcase);
    return suite;
}
