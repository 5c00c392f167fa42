/* Overlap of strided boxes against enumeration of every byte. No memory is touched: boxes live at made-up addresses. */
#include <check.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "fovea/status.h"
#include "src/overlap.h"
#include "src/validate_internal.h"
#include "support/random.h"

Suite *overlap_suite(void);

enum { ARENA = 4096, ORIGIN = 1 << 20 };

typedef struct layout {
    /* Offset of index 0 from ORIGIN, in bytes. */
    int64_t offset;
    int64_t element;
    int32_t axes;
    int64_t sizes[FV_MAX_AXES];
    int64_t strides[FV_MAX_AXES];
} layout;

static fv_box make(const layout *l) {
    fv_box box;
    const uintptr_t address = (uintptr_t)((int64_t)ORIGIN + l->offset);
    ck_assert_msg(fv_box_make(&box, (const void *)address, l->element, l->axes, l->sizes, l->strides) != 0,
                  "a small box was refused");
    return box;
}

static const char *describe(const layout *l) {
    static char text[4][256];
    static int32_t turn;
    char *line = text[turn++ % 4];
    int32_t length = snprintf(line, sizeof text[0], "offset %" PRId64 " element %" PRId64, l->offset, l->element);
    for (int32_t axis = 0; axis < l->axes; axis++)
        length += snprintf(line + length, sizeof text[0] - (size_t)length, " (%" PRId64 " by %" PRId64 ")",
                           l->sizes[axis], l->strides[axis]);
    return line;
}

/* Counts, for every byte of the arena, the indices of the box that cover it; returns the largest count. */
static int32_t enumerate(const layout *l, unsigned char *cover) {
    memset(cover, 0, ARENA);
    int32_t most = 0;
    int64_t total = 1;
    for (int32_t axis = 0; axis < l->axes; axis++)
        total *= l->sizes[axis];
    for (int64_t flat = 0; flat < total; flat++) {
        int64_t at = l->offset;
        int64_t rest = flat;
        for (int32_t axis = 0; axis < l->axes; axis++) {
            at += rest % l->sizes[axis] * l->strides[axis] * l->element;
            rest /= l->sizes[axis];
        }
        for (int64_t byte = at; byte < at + l->element; byte++) {
            if (byte < 0 || byte >= ARENA)
                ck_abort_msg("%s leaves the arena", describe(l));
            most = cover[byte] + 1 > most ? cover[byte] + 1 : most;
            cover[byte] = (unsigned char)(cover[byte] < 2 ? cover[byte] + 1 : 2);
        }
    }
    return most;
}

/* A box of few indices around the middle of the arena. */
static layout random_layout(test_random *random) {
    layout l = {.element = RANDOM_OF(random, 1, 2, 4, 8), .axes = (int32_t)random_between(random, 1, FV_MAX_AXES)};
    for (int32_t axis = 0; axis < l.axes; axis++) {
        l.sizes[axis] = random_between(random, random_chance(random, 0.02) ? 0 : 1, 5);
        l.strides[axis] = random_between(random, -24, 24);
        /* Multiples of other strides are what real layouts have. */
        if (axis > 0 && random_chance(random, 0.4))
            l.strides[axis] = l.strides[axis - 1] * random_between(random, -3, 3) % 25;
    }
    l.offset = ARENA / 2 + random_between(random, -40, 40) * RANDOM_OF(random, 1, 4, 8);
    /* What is shrunk to fit stays a legal box. */
    for (int32_t axis = 0; axis < l.axes; axis++)
        while (l.sizes[axis] > 1 &&
               l.element * (l.sizes[axis] - 1) * (l.strides[axis] < 0 ? -l.strides[axis] : l.strides[axis]) > 400)
            l.sizes[axis]--;
    return l;
}

START_TEST(pairs_agree_with_enumeration) {
    test_random random = test_random_named("overlap pairs", 0);
    static unsigned char cover_a[ARENA];
    static unsigned char cover_b[ARENA];
    const int64_t cases = test_scaled(30000);
    int64_t met = 0;
    for (int64_t i = 0; i < cases; i++) {
        const layout a = random_layout(&random);
        const layout b = random_layout(&random);
        const fv_box box_a = make(&a);
        const fv_box box_b = make(&b);
        enumerate(&a, cover_a);
        enumerate(&b, cover_b);
        bool expected = false;
        for (int32_t byte = 0; byte < ARENA && !expected; byte++)
            expected = cover_a[byte] && cover_b[byte];
        met += expected;
        const fv_overlap wanted = expected ? FV_OVERLAP_FOUND : FV_OVERLAP_NONE;
        ck_assert_msg(fv_box_overlaps(&box_a, &box_b) == wanted && fv_box_overlaps(&box_b, &box_a) == wanted,
                      "seed %" PRIu64 " case %" PRId64 ": %s | %s: %s expected", test_seed(), i, describe(&a),
                      describe(&b), expected ? "overlap" : "no overlap");
    }
    /* The generator gives both answers often. */
    ck_assert_msg(met > cases / 10 && met < cases - cases / 10, "%" PRId64 " of %" PRId64 " overlap", met, cases);
}
END_TEST

START_TEST(self_overlap_agrees_with_enumeration) {
    test_random random = test_random_named("overlap self", 0);
    static unsigned char cover[ARENA];
    const int64_t cases = test_scaled(30000);
    int64_t met = 0;
    for (int64_t i = 0; i < cases; i++) {
        const layout l = random_layout(&random);
        const fv_box box = make(&l);
        const bool expected = enumerate(&l, cover) > 1;
        met += expected;
        ck_assert_msg(fv_box_overlaps_itself(&box) == (expected ? FV_OVERLAP_FOUND : FV_OVERLAP_NONE),
                      "seed %" PRIu64 " case %" PRId64 ": %s: %s expected", test_seed(), i, describe(&l),
                      expected ? "overlap" : "no overlap");
    }
    ck_assert_msg(met > cases / 10 && met < cases - cases / 10, "%" PRId64 " of %" PRId64 " overlap", met, cases);
}
END_TEST

/* Views of one allocation whose axes nest in random order with random padding: slots of an axis that the views do not
 * have (the Q, K and V of a fused projection) never meet; one slot shifted by less than a row does. */
START_TEST(interleaved_views_are_decided) {
    test_random random = test_random_named("overlap views", 0);
    const int64_t cases = test_scaled(5000);
    for (int64_t i = 0; i < cases; i++) {
        const int64_t row = RANDOM_OF(&random, 1, 5, 32, 64, 128);
        const int64_t slots = random_between(&random, 2, 4);
        const int64_t sizes[] = {random_between(&random, 1, 9), random_between(&random, 1, 40),
                                 RANDOM_OF(&random, 1, 2, 77, 4096, 100000), slots};
        int32_t order[] = {0, 1, 2, 3};
        for (int32_t k = 3; k > 0; k--) {
            const int64_t other = random_between(&random, 0, k);
            const int32_t held = order[k];
            order[k] = order[other];
            order[other] = held;
        }
        int64_t strides[4];
        int64_t span = row + random_between(&random, 0, 3);
        for (int32_t k = 0; k < 4; k++) {
            strides[order[k]] = span;
            span = span * sizes[order[k]] + (random_chance(&random, 0.3) ? random_between(&random, 0, 70) : 0);
        }
        const layout first = {.element = 4, .axes = 4, .sizes = {sizes[0], sizes[1], sizes[2], row}, .strides = {0}};
        layout a = first;
        for (int32_t axis = 0; axis < 3; axis++) {
            const bool reversed = random_chance(&random, 0.2);
            a.strides[axis] = reversed ? -strides[axis] : strides[axis];
            a.offset += reversed ? strides[axis] * (sizes[axis] - 1) * 4 : 0;
        }
        a.strides[3] = 1;
        layout b = a;
        b.offset += strides[3] * random_between(&random, 1, slots - 1) * 4;
        layout shifted = a;
        shifted.offset += random_between(&random, 0, 4 * row - 1);
        const fv_box box_a = make(&a);
        const fv_box box_b = make(&b);
        const fv_box box_shifted = make(&shifted);
        ck_assert_msg(fv_box_overlaps_itself(&box_a) == FV_OVERLAP_NONE, "seed %" PRIu64 ": %s overlaps itself",
                      test_seed(), describe(&a));
        ck_assert_msg(fv_box_overlaps(&box_a, &box_b) == FV_OVERLAP_NONE, "seed %" PRIu64 ": %s | %s overlap",
                      test_seed(), describe(&a), describe(&b));
        ck_assert_msg(fv_box_overlaps(&box_a, &box_shifted) == FV_OVERLAP_FOUND, "seed %" PRIu64 ": %s | %s do not",
                      test_seed(), describe(&a), describe(&shifted));
    }
}
END_TEST

/* Elements of different sizes that fill each other's gaps. */
START_TEST(sizes_of_elements_count) {
    const layout floats = {.element = 4, .axes = 2, .sizes = {100, 3}, .strides = {4, 1}};
    layout bytes = {.offset = 12, .element = 1, .axes = 2, .sizes = {100, 4}, .strides = {16, 1}};
    const fv_box box = make(&floats);
    fv_box gaps = make(&bytes);
    ck_assert_int_eq(fv_box_overlaps(&box, &gaps), FV_OVERLAP_NONE);
    bytes.sizes[1] = 5;
    gaps = make(&bytes);
    ck_assert_int_eq(fv_box_overlaps(&box, &gaps), FV_OVERLAP_FOUND);
    bytes.sizes[1] = 4;
    bytes.offset = 11;
    gaps = make(&bytes);
    ck_assert_int_eq(fv_box_overlaps(&box, &gaps), FV_OVERLAP_FOUND);
}
END_TEST

START_TEST(empty_boxes_meet_nothing) {
    const layout empty = {.element = 4, .axes = 3, .sizes = {4, 0, 8}, .strides = {0, INT64_MAX, 1}};
    const layout full = {.element = 4, .axes = 1, .sizes = {100}, .strides = {1}};
    const fv_box box_empty = make(&empty);
    const fv_box box_full = make(&full);
    ck_assert_int_eq(fv_box_overlaps(&box_empty, &box_full), FV_OVERLAP_NONE);
    ck_assert_int_eq(fv_box_overlaps(&box_full, &box_empty), FV_OVERLAP_NONE);
    ck_assert_int_eq(fv_box_overlaps_itself(&box_empty), FV_OVERLAP_NONE);
}
END_TEST

START_TEST(impossible_spans_are_refused) {
    const struct {
        uintptr_t address;
        int64_t size;
        int64_t stride;
        int32_t possible;
    } cases[] = {
        {ORIGIN, 2, INT64_MAX, 0},
        {ORIGIN, 2, INT64_MIN, 0},
        {ORIGIN, INT64_MAX, INT64_MAX, 0},
        {ORIGIN, INT64_MAX, INT64_MIN, 0},
        {ORIGIN, INT64_MAX, 1, 0},
        {ORIGIN, INT64_MAX, 0, 1},
        {ORIGIN, 1, INT64_MIN, 1},
        {ORIGIN, 0, INT64_MAX, 1},
        /* Below address 0, and past the last one. */
        {ORIGIN, ORIGIN / 8 + 1, -1, 1},
        {ORIGIN, ORIGIN / 8 + 2, -1, 0},
        {UINTPTR_MAX - 8 * 100, 100, 1, 1},
        {UINTPTR_MAX - 8 * 100, 101, 1, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fv_box box;
        const int32_t possible =
            fv_box_make(&box, (const void *)cases[i].address, 8, 1, &cases[i].size, &cases[i].stride) != 0;
        ck_assert_msg(possible == cases[i].possible, "case %zu", i);
    }
}
END_TEST

static fv_operand operand_of(const char *name, const layout *l) {
    fv_operand operand = {.name = name,
                          .data = (const void *)(uintptr_t)((int64_t)ORIGIN + l->offset),
                          .element = l->element,
                          .axes = l->axes,
                          .strides = l->strides};
    memcpy(operand.sizes, l->sizes, sizeof operand.sizes);
    return operand;
}

/* A call that writes one layout and reads another is refused for this reason. */
static void check_refused(const layout *written, const layout *read, const char *reason) {
    fv_footprint footprint = {.status = FOVEA_OK};
    const fv_operand out = operand_of("out", written), q = operand_of("q", read);
    fv_writes(&footprint, &out);
    fv_reads(&footprint, &q);
    ck_assert_int_eq(fv_check_disjoint(&footprint), FOVEA_INVALID);
    ck_assert_str_eq(fovea_last_reason(), reason);
}

/* Eight large strides without a common structure: the search must stop, and must not say "disjoint" unless it is so. */
START_TEST(irregular_strides_end_undecided) {
    test_random random = test_random_named("overlap irregular", 0);
    const int64_t cases = test_scaled(200);
    int64_t undecided = 0;
    for (int64_t i = 0; i < cases; i++) {
        layout l[2];
        /* Both contain this address, through one index each. */
        const int64_t shared = INT64_C(1) << 46;
        for (int32_t side = 0; side < 2; side++) {
            l[side] = (layout){.offset = shared, .element = 1, .axes = 4};
            for (int32_t axis = 0; axis < 4; axis++) {
                l[side].sizes[axis] = random_between(&random, 2, 100);
                l[side].strides[axis] = random_between(&random, 1, INT64_C(1) << 34);
                l[side].offset -= random_between(&random, 0, l[side].sizes[axis] - 1) * l[side].strides[axis];
            }
        }
        const fv_box a = make(&l[0]);
        const fv_box b = make(&l[1]);
        const fv_overlap found = fv_box_overlaps(&a, &b);
        ck_assert_msg(found != FV_OVERLAP_NONE, "seed %" PRIu64 ": %s | %s: no overlap", test_seed(), describe(&l[0]),
                      describe(&l[1]));
        undecided += found == FV_OVERLAP_UNDECIDED;
        if (found == FV_OVERLAP_UNDECIDED && fv_box_overlaps_itself(&a) == FV_OVERLAP_NONE)
            check_refused(&l[0], &l[1], "out may overlap q: their strides are too irregular to tell");
    }
    ck_assert_msg(undecided > 0, "the budget was never spent");
}
END_TEST

/* About as many pairs of indices as bytes, so that few of them meet. */
START_TEST(an_irregular_output_may_overlap_itself) {
    test_random random = test_random_named("overlap irregular output", 0);
    const layout elsewhere = {.element = 1, .axes = 1, .sizes = {1}};
    int64_t undecided = 0;
    for (int64_t i = 0; i < 20; i++) {
        layout l = {.offset = INT64_C(1) << 20, .element = 1, .axes = 4};
        for (int32_t axis = 0; axis < 4; axis++) {
            l.sizes[axis] = random_between(&random, 500, 1000);
            l.strides[axis] = random_between(&random, INT64_C(1) << 33, INT64_C(1) << 34);
        }
        const fv_box box = make(&l);
        if (fv_box_overlaps_itself(&box) == FV_OVERLAP_UNDECIDED) {
            undecided++;
            check_refused(&l, &elsewhere, "out may overlap itself: its strides are too irregular to tell");
        }
    }
    ck_assert_msg(undecided > 0, "the budget was never spent");
}
END_TEST

Suite *overlap_suite(void) {
    Suite *suite = suite_create("overlap");
    TCase *cases = tcase_create("overlap");
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, pairs_agree_with_enumeration);
    tcase_add_test(cases, self_overlap_agrees_with_enumeration);
    tcase_add_test(cases, interleaved_views_are_decided);
    tcase_add_test(cases, sizes_of_elements_count);
    tcase_add_test(cases, empty_boxes_meet_nothing);
    tcase_add_test(cases, impossible_spans_are_refused);
    tcase_add_test(cases, irregular_strides_end_undecided);
    tcase_add_test(cases, an_irregular_output_may_overlap_itself);
    suite_add_tcase(suite, cases);
    return suite;
}
