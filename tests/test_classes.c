/* What masks and biases make of runs of keys, and of the segments of a block: pure functions against plain loops. */
#include <check.h>
#include <math.h>
#include <string.h>

#include "src/classes.h"
#include "src/mask.h"
#include "support/backends.h"
#include "support/random.h"

enum { KEYS = 700, MOST_LANES = FV_MAX_LANES };

/* One head whose lanes are rows of their own. */
typedef struct case_of_masks {
    fovea_plan plan;
    fovea_attention_args args;
    fv_sequence sequence;
    fv_head head;
    int32_t lanes;
    fv_key_range keys;
    uint8_t mask[MOST_LANES * KEYS];
    float bias[MOST_LANES * KEYS];
} case_of_masks;

static void randomise(case_of_masks *self, const fv_backend *backend, test_random *random) {
    *self = (case_of_masks){.plan.backend = backend, .plan.geometry.group = 1, .sequence.end_key = KEYS};
    self->head = (fv_head){.plan = &self->plan, .args = &self->args, .sequence = &self->sequence};
    self->lanes = (int32_t)random_between(random, 1, backend->panel->lanes * backend->panel->vectors);
    self->keys.begin = random_between(random, 0, KEYS - 1);
    self->keys.end = random_between(random, self->keys.begin + 1, KEYS);
    const int64_t edge = RANDOM_OF(random, 1, 16, 32, 64, 200);
    for (int64_t i = 0; i < MOST_LANES * KEYS; i++) {
        const int64_t tile = i / KEYS / 16 * KEYS + i % KEYS / edge;
        test_random of_tile = test_random_seeded((uint64_t)tile);
        const bool forbidden = random_chance(&of_tile, 0.6);
        self->mask[i] = forbidden || random_chance(random, 0.01) ? 0 : (uint8_t)RANDOM_OF(random, 1, 128, 255);
        self->bias[i] = forbidden ? -INFINITY : random_float(random, -1, 1);
    }
    const bool has_mask = random_chance(random, 0.7), has_bias = !has_mask || random_chance(random, 0.3);
    const int64_t strides[4] = {0, 0, random_chance(random, 0.2) ? 0 : KEYS, 1};
    self->args.mask = has_mask ? self->mask : NULL;
    self->args.bias = has_bias ? self->bias : NULL;
    memcpy(self->args.mask_strides, strides, sizeof strides);
    memcpy(self->args.bias_strides, strides, sizeof strides);
}

static bool allows(const case_of_masks *self, int64_t lane, int64_t key) {
    const int64_t at = lane * self->args.mask_strides[2] + key;
    return (!self->args.mask || self->mask[at]) && (!self->args.bias || self->bias[at] != -INFINITY);
}

/* True for a key that some lane of a vector may see; or, with `all`, that all of them may see. */
static bool vector_allows(const case_of_masks *self, int32_t vector, int64_t key, bool all) {
    const int32_t width = self->plan.backend->panel->lanes;
    for (int32_t lane = vector * width; lane < (vector + 1) * width && lane < self->lanes; lane++) {
        if (allows(self, lane, key) != all) {
            return !all;
        }
    }
    return all;
}

START_TEST(runs_are_classified_as_their_keys_are) {
    static case_of_masks self;
    test_random random = test_random_named("classes", _i);
    for (int64_t n = 0; n < test_scaled(60); n++) {
        randomise(&self, backend_at(_i), &random);
        const int64_t first_run = self.keys.begin / FV_RUN_KEYS;
        fv_classes classes;
        fv_classify(&self.head, 0, self.lanes, self.keys, first_run, 1, &classes);
        for (int64_t key = self.keys.begin; key < self.keys.end; key++) {
            for (int32_t v = 0; v * self.plan.backend->panel->lanes < self.lanes; v++) {
                const int64_t run = key / FV_RUN_KEYS - first_run;
                if (vector_allows(&self, v, key, false)) {
                    ck_assert_msg(fv_class_bit(classes.some, v, run), "a key that is allowed is in a forbidden run");
                }
                if (fv_class_bit(classes.all, v, run)) {
                    ck_assert_msg(!self.args.bias && vector_allows(&self, v, key, true), "terms would be left out");
                }
            }
        }
    }
}
END_TEST

/* Runs of one kind alone are told apart from mixed ones. */
START_TEST(runs_of_one_kind_are_found) {
    static case_of_masks self;
    test_random random = test_random_named("pure classes", _i);
    randomise(&self, backend_at(_i), &random);
    const int64_t strides[4] = {0, 0, KEYS, 1};
    memcpy(self.args.mask_strides, strides, sizeof strides);
    self.args.bias = NULL;
    self.args.mask = self.mask;
    self.keys = (fv_key_range){0, KEYS};
    memset(self.mask, 1, sizeof self.mask);
    for (int32_t lane = 0; lane < MOST_LANES; lane++) {
        memset(self.mask + lane * KEYS + FV_RUN_KEYS, 0, FV_RUN_KEYS);
    }
    self.mask[3 * FV_RUN_KEYS + 5] = 0;
    fv_classes classes;
    fv_classify(&self.head, 0, self.lanes, self.keys, 0, 1, &classes);
    ck_assert_uint_eq(classes.some[0], 0x3ffffd);
    ck_assert_uint_eq(classes.all[0], 0x3ffff5);
}
END_TEST

START_TEST(segments_keep_every_allowed_position_and_no_forbidden_run) {
    static case_of_masks self;
    test_random random = test_random_named("segments", _i);
    const int32_t vectors = backend_at(_i)->panel->vectors;
    for (int64_t n = 0; n < test_scaled(200); n++) {
        randomise(&self, backend_at(_i), &random);
        fv_classes classes;
        const int64_t begin = self.keys.begin;
        const int32_t keys = (int32_t)(self.keys.end - begin < FV_MAX_BLOCK ? self.keys.end - begin : FV_MAX_BLOCK);
        fv_visible visible = {.full_end = keys, .all_full = 1, .segments = {{0, keys, 0, vectors}}, .segment_count = 1};
        fv_classify(&self.head, 0, self.lanes, self.keys, begin / FV_RUN_KEYS, 1, &classes);
        fv_see_classes(&(fv_class_pair){&classes, &classes}, begin, &visible);
        ck_assert_int_le(visible.segment_count, FV_MAX_SEGMENTS);
        int32_t at = 0;
        for (int32_t key = 0; key < keys; key++) {
            while (at < visible.segment_count && visible.segments[at].key_end <= key) {
                at++;
            }
            const fv_segment *segment = &visible.segments[at];
            const bool in_one = at < visible.segment_count && segment->key_begin <= key;
            for (int32_t v = 0; v * self.plan.backend->panel->lanes < self.lanes; v++) {
                const bool computed = in_one && v >= segment->vector_begin && v < segment->vector_end;
                ck_assert(computed || !vector_allows(&self, v, begin + key, false));
                ck_assert(!computed || visible.has_terms[at] || vector_allows(&self, v, begin + key, true));
            }
        }
    }
}
END_TEST

Suite *classes_suite(void);

Suite *classes_suite(void) {
    Suite *suite = suite_create("classes");
    TCase *tcase = tcase_create("classes");
    ADD_FOR_BACKENDS(tcase, runs_are_classified_as_their_keys_are);
    ADD_FOR_BACKENDS(tcase, runs_of_one_kind_are_found);
    ADD_FOR_BACKENDS(tcase, segments_keep_every_allowed_position_and_no_forbidden_run);
    suite_add_tcase(suite, tcase);
    return suite;
}
