/* The program `fovea` as a user meets it: its help, its messages, and the commands beside `run`. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/cli.h"

START_TEST(help) {
    static const char *const commands[] = {"run", "compare", "info", "bench"};
    char manual[CLI_TEXT_MAX];
    cli_read_text(cli_source("docs/fovea.1"), manual);
    CLI_EXPECT(0, "--help");
    CLI_EXPECT(0, "--version");
    ck_assert_int_eq(strncmp(cli_last.out, "fovea ", 6), 0);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        CLI_EXPECT(0, "%s --help", commands[i]);
        ck_assert_str_eq(cli_last.err, "");
        ck_assert_int_eq(strncmp(cli_last.out, "Usage: fovea ", 13), 0);
        /* Every option is in the manual, where hyphens are escaped. */
        for (char *at = cli_last.out; (at = strstr(at, " --"));) {
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
    cli_save_small();
    CLI_EXPECT(2, "%s", "");
    CLI_EXPECT_ERROR(2, "unknown command", "walk");
    CLI_EXPECT_ERROR(2, "three files", "run q.npy k.npy -o o.npy");
    CLI_EXPECT_ERROR(2, "unexpected argument", "run q.npy k.npy v.npy w.npy -o o.npy");
    CLI_EXPECT_ERROR(2, "nothing to do", "run q.npy k.npy v.npy");
    CLI_EXPECT_ERROR(2, "unknown option '--frob'", "run q.npy k.npy v.npy --frob");
    CLI_EXPECT_ERROR(2, "unknown option '--caus'", "run q.npy k.npy v.npy --caus");
    CLI_EXPECT_ERROR(2, "needs a value", "run q.npy k.npy v.npy -o");
    CLI_EXPECT_ERROR(2, "takes no value", "run q.npy k.npy v.npy -o o.npy --json=yes");
    CLI_EXPECT_ERROR(2, "takes one of top-left|bottom-right", "run q.npy k.npy v.npy -o o.npy --causal=left");
    CLI_EXPECT_ERROR(2, "two different diagonals",
                     "run q.npy k.npy v.npy -o o.npy --causal top-left --diagonal bottom-right");
    CLI_EXPECT_ERROR(2, "no effect", "run q.npy k.npy v.npy -o o.npy --diagonal top-left");
    CLI_EXPECT_ERROR(2, "takes one of probabilities|scaled-scores|",
                     "run q.npy k.npy v.npy --weights w.npy --weights-kind mean");
    CLI_EXPECT_ERROR(2, "no effect without --weights", "run q.npy k.npy v.npy -o o.npy --weights-kind scaled-scores");
    CLI_EXPECT_ERROR(2, "two numbers", "run q.npy k.npy v.npy -o o.npy --window 3");
    CLI_EXPECT_ERROR(2, "whole number", "run q.npy k.npy v.npy -o o.npy --window 3,x");
    CLI_EXPECT_ERROR(2, "whole number", "run q.npy k.npy v.npy -o o.npy --window -2,0");
    CLI_EXPECT_ERROR(2, "finite number", "run q.npy k.npy v.npy -o o.npy --scale nan");
    CLI_EXPECT_ERROR(2, "float32", "run q.npy k.npy v.npy -o o.npy --scale 1e39");
    CLI_EXPECT_ERROR(2, "whole number", "run q.npy k.npy v.npy -o o.npy --threads 0");
    CLI_EXPECT_ERROR(2, "whole number", "run q.npy k.npy v.npy -o o.npy --heads 99999999999999999999");
    CLI_EXPECT_ERROR(2, "--heads-kv needs --heads", "run q.npy k.npy v.npy -o o.npy --heads-kv 1");
    CLI_EXPECT_ERROR(2, "exclude", "run q.npy k.npy v.npy -o o.npy --heads 1 --layout bshd");
    CLI_EXPECT_ERROR(2, "no effect", "run q.npy k.npy v.npy -o o.npy --tokens t.txt");
    CLI_EXPECT_ERROR(2, "no effect", "run q.npy k.npy v.npy -o o.npy --entry 0");
    CLI_EXPECT_ERROR(2, "no effect", "run q.npy k.npy v.npy -o o.npy --head 3");
    CLI_EXPECT_ERROR(2, "--compare", "run q.npy k.npy v.npy -o o.npy --tolerance 5");
    CLI_EXPECT_ERROR(2, "generic", "run q.npy k.npy v.npy -o o.npy --isa mmx");
    CLI_EXPECT_ERROR(2, "sleef|fused", "run q.npy k.npy v.npy -o o.npy --exp exact");
    CLI_EXPECT_ERROR(2, "negative", "compare q.npy k.npy --tolerance -1");
    CLI_EXPECT_ERROR(2, "unknown shape", "bench huge");
    ck_assert_int_eq(cli_count_files("o.npy"), 0);
}
END_TEST

/* Names with control characters do not break the line, nor reach the terminal. */
START_TEST(hostile_names) {
    CLI_EXPECT_ERROR(2, "a?[31mb?c", "run a\x1b[31mb\nc k v -o o.npy");
}
END_TEST

START_TEST(comparisons) {
    const float a[3] = {1, NAN, INFINITY}, b[3] = {1.5f, NAN, INFINITY}, c[3] = {1, 2, INFINITY},
                d[3] = {1, NAN, -INFINITY};
    cli_save("a.npy", NPY_F32, CLI_SHAPE(3), a);
    cli_save("b.npy", NPY_F32, CLI_SHAPE(3), b);
    cli_save("c.npy", NPY_F32, CLI_SHAPE(3), c);
    cli_save("d.npy", NPY_F32, CLI_SHAPE(3), d);
    cli_save("wide.npy", NPY_F32, CLI_SHAPE(1, 3), a);
    cli_save("lengths.npy", NPY_I32, CLI_SHAPE(3), a);
    CLI_EXPECT(0, "compare a.npy a.npy --tolerance 0");
    CLI_EXPECT(1, "compare a.npy b.npy");
    ck_assert_ptr_nonnull(strstr(cli_last.out, "element 0: 1, reference 1.5"));
    CLI_EXPECT(0, "compare a.npy b.npy --tolerance 0.5 -q");
    ck_assert_str_eq(cli_last.out, "");
    CLI_EXPECT(1, "compare a.npy c.npy --tolerance 1e300");
    CLI_EXPECT(1, "compare a.npy d.npy --tolerance 1e300");
    CLI_EXPECT_ERROR(2, "shape", "compare a.npy wide.npy");
    CLI_EXPECT_ERROR(2, "two files", "compare a.npy");
    CLI_EXPECT_ERROR(2, "holds int32 where float32", "compare a.npy lengths.npy");
}
END_TEST

START_TEST(json) {
    cli_save_small();
    CLI_EXPECT(0, "run q.npy k.npy v.npy -o o.npy --compare v.npy --tolerance 20 --json");
    ck_assert_ptr_nonnull(strstr(cli_last.out, "\"shape\": [2, 2]"));
    ck_assert_ptr_nonnull(strstr(cli_last.out, "\"max_difference\": 10, \"tolerance\": 20, \"equal\": true}\n"));
    CLI_EXPECT(0, "info --json");
    ck_assert_ptr_nonnull(strstr(cli_last.out, "\"name\": \"generic\", \"compiled\": true, \"detected\": true"));
}
END_TEST

START_TEST(information) {
    CLI_EXPECT(0, "info");
    ck_assert_ptr_nonnull(strstr(cli_last.out, "generic"));
    /* There may be nothing to cap. */
    const bool outranked = strstr(cli_last.out, "outranks it");
    setenv("FOVEA_ISA", "generic", 1);
    CLI_EXPECT(0, "info");
    ck_assert(!outranked || strstr(cli_last.out, "FOVEA_ISA caps at generic"));
    setenv("FOVEA_ISA", "sse9", 1);
    CLI_EXPECT_ERROR(2, "sse9", "info");
    cli_save_small();
    CLI_EXPECT_ERROR(2, "sse9", "run q.npy k.npy v.npy -o o.npy");
}
END_TEST

START_TEST(benchmark) {
    CLI_EXPECT(0, "bench short decode --len 32 --heads 2 --dim 8 --rounds 2");
    ck_assert_ptr_nonnull(strstr(cli_last.out, "\nshort "));
    ck_assert_ptr_nonnull(strstr(cli_last.out, "\ndecode "));
    CLI_EXPECT_ERROR(2, "heads", "bench dense --heads 3 --heads-kv 2 --len 8");
}
END_TEST

Suite *cli_suite(void);

Suite *cli_suite(void) {
    Suite *suite = suite_create("cli");
    cli_add(suite, "help", help);
    cli_add(suite, "usage_errors", usage_errors);
    cli_add(suite, "hostile_names", hostile_names);
    cli_add(suite, "comparisons", comparisons);
    cli_add(suite, "json", json);
    cli_add(suite, "information", information);
    cli_add(suite, "benchmark", benchmark);
    return suite;
}
