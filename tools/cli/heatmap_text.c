#include "heatmap_text.h"

#include <inttypes.h>
#include <langinfo.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "utf8.h"

/* Characters of a label; longer ones are cut. */
enum { LABEL_MAX = 14 };

/* Columns beside labels and cells: the strongest key of each row. */
enum { REST = LABEL_MAX + 12 };

enum { LEVELS = 10 };

typedef struct canvas {
    FILE *file;
    const attention_map *map;
    bool colour;
    /* Whether it shows UTF-8. */
    bool utf8;
    /* Width of the row labels, height of the column labels, columns that fit, and the value of the highest level. */
    int64_t label, header, columns;
    /* Characters of a cell: 2, or 3 where there is room. */
    int32_t cell;
    float top;
} canvas;

/* Prints one character of a label; plain text has '?' for what is not ASCII. */
static void print_character(const canvas *c, const char *text) {
    if ((unsigned char)*text < 0x80 || !c->utf8)
        fputc((unsigned char)*text < 0x80 ? *text : '?', c->file);
    else
        fprintf(c->file, "%.*s", utf8_step(text), text);
}

static const char *skip_characters(const char *text, int64_t count) {
    while (count-- > 0)
        text += utf8_step(text);
    return text;
}

static int64_t label_length(const char *text) {
    int64_t length = utf8_count(text);
    return length < LABEL_MAX ? length : LABEL_MAX;
}

static void print_characters(const canvas *c, const char *text, int64_t count) {
    for (; count > 0; count--) {
        print_character(c, text);
        text += utf8_step(text);
    }
}

static void print_label(const canvas *c, const char *text) {
    print_characters(c, text, label_length(text));
}

static int64_t longest_label(const token_list *list, int64_t count) {
    int64_t longest = 0;
    for (int64_t i = 0; i < count; i++) {
        int64_t length = label_length(list->tokens[i]);
        longest = length > longest ? length : longest;
    }
    return longest;
}

/* 0 ... LEVELS - 1; NaN, which an input may have caused, is 0. */
static int32_t level_of(const canvas *c, float p) {
    float scaled = c->top > 0 ? p / c->top * LEVELS : 0;
    return scaled >= LEVELS ? LEVELS - 1 : scaled > 0 ? (int32_t)scaled : 0;
}

/* A cell of one level; -1 is below the lowest: grey, so that colours stand out. Colours leave room for two characters
 * of `text`. */
static void print_shade(const canvas *c, int32_t level, const char *text) {
    /* Dark blue to pale yellow, in steps of about the same lightness, of the 256-colour palette. */
    static const int32_t palette[LEVELS] = {17, 18, 24, 25, 31, 37, 79, 120, 192, 229};
    static const char shades[LEVELS + 1] = " .:-=+*#%@";
    if (c->colour)
        fprintf(c->file, "\x1b[48;5;%d;38;5;%dm%*s", level < 0 ? 235 : palette[level], level < 5 ? 231 : 16, c->cell,
                text);
    else
        fprintf(c->file, "%c%c", shades[level < 0 ? 0 : level], shades[level < 0 ? 0 : level]);
}

static void print_cell(const canvas *c, float p) {
    char text[16] = "  ";
    if (p >= 0.095f)
        snprintf(text, sizeof text, "%2.0f", fmin((double)p * 100, 99));
    print_shade(c, p >= 0.03f * c->top ? level_of(c, p) : -1, text);
}

static void end_colour(const canvas *c) {
    if (c->colour)
        fputs("\x1b[0m", c->file);
}

/* Column labels are written downwards and end at the cells. */
static void print_header(const canvas *c) {
    for (int64_t line = 0; line < c->header; line++) {
        fprintf(c->file, "%*s", (int)c->label + 2, "");
        for (int64_t j = 0; j < c->columns; j++) {
            const char *text = c->map->column_tokens->tokens[j];
            int64_t at = line - (c->header - label_length(text));
            fprintf(c->file, "%*s", c->cell - 1, "");
            if (at < 0)
                fputc(' ', c->file);
            else
                print_character(c, skip_characters(text, at));
        }
        fputc('\n', c->file);
    }
}

static void print_row(const canvas *c, int64_t row) {
    const attention_map *map = c->map;
    const float *p = map->p + row * map->ld;
    const char *text = map->row_tokens->tokens[row];
    fprintf(c->file, "%*s", (int)(c->label - label_length(text)), "");
    print_label(c, text);
    fputs(c->colour ? "  " : " |", c->file);
    for (int64_t j = 0; j < c->columns; j++)
        print_cell(c, p[j]);
    end_colour(c);
    fputs(c->colour ? "  " : "| ", c->file);
    int64_t best = attention_map_best(map, row);
    if (map->columns > 0 && p[best] > 0) {
        fprintf(c->file, "%s %3.0f %% ", c->utf8 ? "\u2192" : "->", (double)p[best] * 100);
        print_label(c, map->column_tokens->tokens[best]);
    }
    fputc('\n', c->file);
}

static void print_scale(const canvas *c) {
    fprintf(c->file, "%*s0 %% ", (int)c->label + 2, "");
    for (int32_t level = 0; level < LEVELS; level++)
        print_shade(c, level, "  ");
    end_colour(c);
    fprintf(c->file, " %.0f %%   rows: queries, columns: keys\n", (double)c->top * 100);
}

static bool has_colours(FILE *file) {
    const char *terminal = getenv("TERM"), *no_colour = getenv("NO_COLOR");
    return isatty(fileno(file)) && !(no_colour && *no_colour) && terminal && strcmp(terminal, "dumb") != 0;
}

/* Chooses the width of cells and how many columns are shown: all of them if `file` is no terminal. */
static void fit(canvas *c) {
    struct winsize size;
    c->cell = 2;
    c->columns = c->map->columns;
    if (ioctl(fileno(c->file), TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return;
    int64_t room = size.ws_col - c->label - 2 - REST;
    if (c->colour && room >= 3 * c->columns)
        c->cell = 3;
    else if (c->columns > 0 && room < 2 * c->columns)
        c->columns = room < 2 ? 1 : room / 2;
}

void heatmap_text(FILE *file, const attention_map *map) {
    char cut[160];
    canvas c = {.file = file, .map = map, .colour = has_colours(file), .top = attention_map_max(map)};
    c.utf8 = c.colour && strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    c.label = longest_label(map->row_tokens, map->rows);
    fit(&c);
    c.header = longest_label(map->column_tokens, c.columns);
    if (map->title) {
        print_characters(&c, map->title, utf8_count(map->title));
        fputc('\n', file);
    }
    print_header(&c);
    for (int64_t row = 0; row < map->rows; row++)
        print_row(&c, row);
    print_scale(&c);
    attention_map_cut(map, cut, sizeof cut);
    if (*cut)
        fprintf(file, "shown: %s\n", cut);
    if (c.columns < map->columns)
        fprintf(file, "the terminal has room for %" PRId64 " of %" PRId64 " columns\n", c.columns, map->columns);
}
