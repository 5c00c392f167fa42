/* The fuzzers' targets under Check: each file of the corpus, and bytes at random. */
#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/targets.h"
#include "support/problem.h"
#include "support/random.h"

static const struct {
    const char *name;
    void (*feed)(const uint8_t *bytes, size_t size);
    /* Bytes of random inputs: about what a target reads. */
    size_t most;
    int64_t rounds;
} targets[] = {
    {"attention", fuzz_attention, 200, 200}, {"arguments", fuzz_arguments, 250, 3000},
    {"plans", fuzz_plans, 200, 200},         {"append", fuzz_append, 200, 1000},
    {"rope", fuzz_rope, 150, 1000},          {"merge", fuzz_merge, 100, 1000},
    {"prefix", fuzz_prefix, 200, 300},       {"npy", fuzz_npy, 40, 3000},
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

/* What bytes must be able to choose: a condition, and how often it held. */
typedef struct feature {
    const char *name;
    int64_t seen;
} feature;

enum { MOST_FEATURES = 200 };

/* Every value of every field, and fields that meet in kernels of their own. */
static int note_features(const problem_spec *s, feature *features) {
    int count = 0;
#define NOTE(condition)                \
    features[count].name = #condition; \
    features[count++].seen += (condition) != 0
    NOTE(s->form_q == FOVEA_FORM_DENSE && s->form_kv == FOVEA_FORM_DENSE);
    NOTE(s->form_q == FOVEA_FORM_DENSE && s->form_kv == FOVEA_FORM_PACKED);
    NOTE(s->form_q == FOVEA_FORM_DENSE && s->form_kv == FOVEA_FORM_PAGED);
    NOTE(s->form_q == FOVEA_FORM_PACKED && s->form_kv == FOVEA_FORM_DENSE);
    NOTE(s->form_q == FOVEA_FORM_PACKED && s->form_kv == FOVEA_FORM_PACKED);
    NOTE(s->form_q == FOVEA_FORM_PACKED && s->form_kv == FOVEA_FORM_PAGED);
    NOTE(s->type_q == FOVEA_F32 && s->type_kv == FOVEA_F32);
    NOTE(s->type_q == FOVEA_F32 && s->type_kv == FOVEA_F16);
    NOTE(s->type_q == FOVEA_F32 && s->type_kv == FOVEA_BF16);
    NOTE(s->type_q == FOVEA_F32 && s->type_kv == FOVEA_INT8);
    NOTE(s->type_q == FOVEA_F16 && s->type_kv == FOVEA_F32);
    NOTE(s->type_q == FOVEA_F16 && s->type_kv == FOVEA_F16);
    NOTE(s->type_q == FOVEA_F16 && s->type_kv == FOVEA_INT8);
    NOTE(s->type_q == FOVEA_BF16 && s->type_kv == FOVEA_F32);
    NOTE(s->type_q == FOVEA_BF16 && s->type_kv == FOVEA_BF16);
    NOTE(s->type_q == FOVEA_BF16 && s->type_kv == FOVEA_INT8);
    NOTE(s->type_out == FOVEA_F16);
    NOTE(s->type_out == FOVEA_BF16);
    NOTE(s->type_q != FOVEA_F32 && s->type_out == FOVEA_F32);
    NOTE((s->inputs & FOVEA_INPUT_BIAS) && s->type_bias == FOVEA_F32);
    NOTE((s->inputs & FOVEA_INPUT_BIAS) && s->type_bias == FOVEA_F16);
    NOTE((s->inputs & FOVEA_INPUT_BIAS) && s->type_bias == FOVEA_BF16);
    NOTE((s->inputs & FOVEA_INPUT_BIAS) && s->bias_forbids > 0);
    NOTE(s->bias_broadcast == 15);
    NOTE((s->inputs & FOVEA_INPUT_BIAS) && s->bias_tile > 0);
    NOTE(s->bias_broadcast == 0);
    NOTE((s->inputs & FOVEA_INPUT_MASK) && s->mask_tile > 0);
    NOTE(s->mask_broadcast == 0);
    NOTE((s->inputs & FOVEA_INPUT_MASK) && s->mask_density < 0.1);
    NOTE(s->mask_broadcast == 15);
    NOTE((s->inputs & FOVEA_INPUT_MASK) && (s->inputs & FOVEA_INPUT_BIAS) && s->causal);
    NOTE((s->inputs & FOVEA_INPUT_MASK) && s->form_kv == FOVEA_FORM_PAGED);
    NOTE((s->inputs & FOVEA_INPUT_BIAS) && s->form_kv == FOVEA_FORM_PAGED && s->type_kv == FOVEA_INT8);
    NOTE((s->inputs & FOVEA_INPUT_ALIBI) && s->slopes_shared);
    NOTE((s->inputs & FOVEA_INPUT_ALIBI) && !s->slopes_shared && s->form_kv == FOVEA_FORM_PACKED);
    NOTE((s->inputs & FOVEA_INPUT_ALIBI) && (s->inputs & FOVEA_INPUT_SINKS) && s->type_kv == FOVEA_INT8);
    NOTE((s->inputs & FOVEA_INPUT_SINKS) && s->sink_range > 30);
    NOTE(s->slope_range > 3);
    NOTE((s->inputs & FOVEA_INPUT_KEY_LENGTHS) && (s->inputs & FOVEA_INPUT_FIRST_KEYS));
    NOTE((s->inputs & FOVEA_INPUT_FIRST_KEYS) && s->form_kv == FOVEA_FORM_PAGED);
    NOTE(s->diagonal == FOVEA_DIAGONAL_BOTTOM_RIGHT && s->causal);
    NOTE(s->diagonal == FOVEA_DIAGONAL_TOP_LEFT && s->causal);
    NOTE(s->diagonal == FOVEA_DIAGONAL_OFFSETS && s->causal && s->query_offset < 0);
    NOTE(s->has_window_left && !s->has_window_right);
    NOTE(!s->has_window_left && s->has_window_right);
    NOTE(s->has_window_left && s->has_window_right && s->diagonal == FOVEA_DIAGONAL_OFFSETS);
    NOTE(s->has_window_left && s->form_q == FOVEA_FORM_PACKED && s->form_kv == FOVEA_FORM_PAGED);
    NOTE(s->softcap > 0 && s->weights == FOVEA_WEIGHTS_CAPPED_SCORES);
    NOTE(s->softcap > 0 && s->causal);
    NOTE(s->weights == FOVEA_WEIGHTS_PROBABILITIES);
    NOTE(s->weights == FOVEA_WEIGHTS_SCALED_SCORES);
    NOTE(s->weights == FOVEA_WEIGHTS_MASKED_SCORES);
    NOTE(s->weights == FOVEA_WEIGHTS_MEAN_PROBABILITIES);
    NOTE(s->weights != FOVEA_WEIGHTS_NONE && s->form_kv == FOVEA_FORM_PAGED);
    NOTE(s->outputs & FOVEA_OUTPUT_LSE);
    NOTE(s->has_scale && s->scale < 0);
    NOTE(s->has_scale && s->scale == 0);
    NOTE(s->type_index == FOVEA_INDEX_INT32);
    NOTE(s->type_index == FOVEA_INDEX_INT64);
    NOTE(s->cut_alike);
    NOTE(s->page_size == 1);
    NOTE(s->page_size == 16);
    NOTE(s->page_size == 256);
    NOTE(s->spare_kv > 0);
    NOTE(s->batch == 0);
    NOTE(s->len_q == 0);
    NOTE(s->len_kv == 0);
    NOTE(s->heads_q == 16 * s->heads_kv);
    NOTE(s->head_dim != s->head_dim_v);
    NOTE(s->head_dim == 256);
    NOTE(s->head_dim == 1);
    NOTE(s->len_kv > 1000);
    NOTE(s->fused_qkv && s->type_q == FOVEA_BF16);
    NOTE(s->hostile > 0);
    NOTE(s->hostile > 0 && s->page_size);
    NOTE(s->layout_k == LAYOUT_ROW_A_PAGE);
    NOTE(s->layout_v == LAYOUT_BROADCAST_HEADS);
    NOTE(s->layout_q == LAYOUT_BROADCAST_ROWS);
    NOTE(s->layout_k == LAYOUT_BROADCAST_BATCH);
    NOTE(s->layout_q == LAYOUT_REVERSED);
    NOTE(s->layout_out == LAYOUT_REVERSED);
    NOTE(s->value_range > 100);
    NOTE(s->form == CALL_ONCE);
    NOTE(s->form == CALL_PLAN);
    NOTE(s->form == CALL_WORKSPACE);
    NOTE(s->threads == 2);
    NOTE(s->side == GUARD_BEFORE);
    NOTE(s->query_range > 30);
#undef NOTE
    return count;
}

START_TEST(bytes_choose_every_feature) {
    enum { BYTES = 150, LARGEST_LENGTH = 1100 };
    feature features[MOST_FEATURES] = {{NULL, 0}};
    unsigned char bytes[BYTES];
    int count = 0;
    test_random random = test_random_named("features", 0);
    for (int64_t round = 0; round < 30000; round++) {
        for (int i = 0; i < BYTES; i++) {
            bytes[i] = (unsigned char)random_bits(&random);
        }
        test_random chosen = test_random_of_bytes(bytes, sizeof bytes);
        const problem_spec spec = problem_random(&chosen, LARGEST_LENGTH, FOVEA_ISA_AUTO, FOVEA_EXP_DEFAULT);
        count = note_features(&spec, features);
    }
    ck_assert_int_gt(count, 0);
    for (int i = 0; i < count; i++) {
        ck_assert_msg(features[i].seen > 0, "never drawn: %s", features[i].name);
    }
}
END_TEST

Suite *fuzz_suite(void);

Suite *fuzz_suite(void) {
    Suite *suite = suite_create("fuzz");
    TCase *tcase = tcase_create("every target");
    tcase_add_loop_test(tcase, the_corpus, 0, TARGETS);
    tcase_add_loop_test(tcase, random_bytes, 0, TARGETS);
    tcase_add_test(tcase, bytes_choose_every_feature);
    suite_add_tcase(suite, tcase);
    return suite;
}
