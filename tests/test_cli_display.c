/* What `fovea run` shows: heat maps as text and as pictures, colours and progress on a terminal. */
#include <check.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "support/cli.h"

/* ---- Pictures ---- */

static void save_sentence(void) {
    cli_save_random("q.npy", 7, CLI_SHAPE(1, 2, 3, 4));
    cli_save_text("tokens.txt", "<a&\"b> w\xc3\xb6rd \x01\xff\n");
}

START_TEST(heat_map_text) {
    save_sentence();
    CLI_EXPECT(0, "run q.npy q.npy q.npy --heatmap --tokens tokens.txt --head 1 --causal --title A~title -q");
    ck_assert_int_eq(strncmp(cli_last.out, "A title\n", 8), 0);
    for (const char *c = cli_last.out; *c; c++)
        ck_assert_msg(*c == '\n' || (*c >= 0x20 && *c < 0x7f), "byte %d", *c);
    ck_assert_ptr_nonnull(strstr(cli_last.out, "-> 100 % <a&\"b>"));
    ck_assert_ptr_nonnull(strstr(cli_last.out, "w?rd |"));
    CLI_EXPECT(0, "run q.npy q.npy q.npy --heatmap --title a\x1b[31mx\nb\xc3\xb6 -q");
    ck_assert_int_eq(strncmp(cli_last.out, "a?[31mx?b?\n", 11), 0);
    /* Without labels: numbers. More than there is room for: cut, and said. */
    cli_save_random("q.npy", 7, CLI_SHAPE(200, 4));
    CLI_EXPECT(0, "run q.npy q.npy q.npy --heatmap");
    ck_assert_ptr_nonnull(strstr(cli_last.out, "127 |"));
    ck_assert_ptr_nonnull(strstr(cli_last.out, "the first 128 of 200 rows and 128 of 200 columns"));
}
END_TEST

/* The map of a head does not depend on how much of it is shown: diagonals stay where they are. */
START_TEST(heat_map_values) {
    const float zero[600] = {0};
    cli_save("q.npy", NPY_F32, CLI_SHAPE(300, 2), zero);
    cli_save("k.npy", NPY_F32, CLI_SHAPE(2, 2), zero);
    CLI_EXPECT(0, "run q.npy k.npy k.npy --heatmap --causal top-left");
    ck_assert_ptr_nonnull(strstr(cli_last.out, "  0 |@@  | -> 100 % 0\n  1 |++++| ->  50 % 0\n"));
    CLI_EXPECT(0, "run q.npy k.npy k.npy --heatmap --causal");
    ck_assert_ptr_nonnull(strstr(cli_last.out, "  0 |    | \n"));
    ck_assert_ptr_nonnull(strstr(cli_last.out, "127 |    | \n"));
}
END_TEST

/* Slopes and sinks are those of the entry and the head. */
START_TEST(heat_map_of_a_head_among_others) {
    const float zero[8 * 2] = {0};
    cli_save("q.npy", NPY_F32, CLI_SHAPE(2, 2, 2, 2), zero);
    cli_save("slopes.npy", NPY_F32, CLI_SHAPE(2, 2), (float[]){0, 0, 0, 50});
    cli_save("sinks.npy", NPY_F32, CLI_SHAPE(2), (float[]){0.69314718f, -INFINITY});
    static const char line[] = "run q.npy q.npy q.npy --heatmap --alibi-slopes slopes.npy --sinks sinks.npy";
    CLI_EXPECT(0, "%s --head 0 --entry 1", line);
    ck_assert_ptr_nonnull(strstr(cli_last.out, "| ->  25 % 0\n"));
    CLI_EXPECT(0, "%s --head 1 --entry 0", line);
    ck_assert_ptr_nonnull(strstr(cli_last.out, "| ->  50 % 0\n"));
    CLI_EXPECT(0, "%s --head 1 --entry 1", line);
    ck_assert_ptr_nonnull(strstr(cli_last.out, "| -> 100 % 1\n"));
}
END_TEST

START_TEST(heat_map_svg) {
    char text[CLI_TEXT_MAX];
    save_sentence();
    CLI_EXPECT(0, "run q.npy q.npy q.npy --heatmap-svg map.svg --tokens tokens.txt --title <&>");
    cli_read_text("map.svg", text);
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
    pid_t child = cli_start(other, "%s", command);
    close(other);
    text[0] = '\0';
    while (size < CLI_TEXT_MAX - 1 && !strstr(text, until)) {
        ssize_t n = read(terminal, text + size, CLI_TEXT_MAX - 1 - size);
        /* The end of the child is an error of the terminal. */
        if (n <= 0)
            break;
        size += (size_t)n;
        text[size] = '\0';
    }
    kill(child, SIGKILL);
    cli_wait(child);
    close(terminal);
}

START_TEST(colours) {
    char text[CLI_TEXT_MAX];
    save_sentence();
    on_terminal("run q.npy q.npy q.npy --heatmap --tokens tokens.txt", "keys", text);
    ck_assert_ptr_nonnull(strstr(text, "\x1b[48;5;"));
    setenv("NO_COLOR", "1", 1);
    on_terminal("run q.npy q.npy q.npy --heatmap --tokens tokens.txt", "keys", text);
    ck_assert_ptr_null(strchr(text, '\x1b'));
    unsetenv("NO_COLOR");
    cli_save_random("q.npy", 7, CLI_SHAPE(100, 4));
    on_terminal("run q.npy q.npy q.npy --heatmap", "columns\r\n", text);
    ck_assert_ptr_nonnull(strstr(text, "the terminal has room for"));
}
END_TEST

START_TEST(progress_line) {
    char text[CLI_TEXT_MAX];
    cli_save_large();
    on_terminal("run q.npy q.npy q.npy -o o.npy --threads 1 --isa generic", "s left", text);
    ck_assert_msg(strstr(text, "%,"), "%.1000s", text);
}
END_TEST

Suite *cli_display_suite(void);

Suite *cli_display_suite(void) {
    Suite *suite = suite_create("cli_display");
    cli_add(suite, "heat_map_text", heat_map_text);
    cli_add(suite, "heat_map_values", heat_map_values);
    cli_add(suite, "heat_map_of_a_head_among_others", heat_map_of_a_head_among_others);
    cli_add(suite, "heat_map_svg", heat_map_svg);
    cli_add(suite, "colours", colours);
    cli_add(suite, "progress_line", progress_line);
    return suite;
}
