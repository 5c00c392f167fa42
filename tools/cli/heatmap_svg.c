#include "heatmap_svg.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "utf8.h"

/* Sizes are in pixels. A character is about 0.6 of its font size wide. */
static const double character = 0.6, title_font = 17, small_font = 12, margin = 24, diagonal = 0.7071;

typedef struct picture {
    FILE *file;
    const attention_map *map;
    /* Side of a cell, font of the labels. */
    double cell, font;
    /* Upper left corner and size of the matrix. */
    double x, y, width, height;
    /* The value of the darkest colour. */
    double top;
} picture;

/* Writes text as XML: escaped, and without the bytes that are no UTF-8 or that XML forbids. */
static void print_text(FILE *file, const char *text) {
    for (; *text; text += utf8_step(text)) {
        if (*text == '&')
            fputs("&amp;", file);
        else if (*text == '<')
            fputs("&lt;", file);
        else if (*text == '>')
            fputs("&gt;", file);
        else if (*text == '"')
            fputs("&quot;", file);
        else if (utf8_printable(text))
            fprintf(file, "%.*s", utf8_step(text), text);
        else
            fputc('?', file);
    }
}

static int64_t longest(const token_list *list, int64_t count) {
    int64_t length = 0;
    for (int64_t i = 0; i < count; i++) {
        int64_t here = utf8_count(list->tokens[i]);
        length = here > length ? here : length;
    }
    return length;
}

/* A light grey that ends in a deep blue; `share` is in [0, 1]. */
static void print_colour(FILE *file, double share) {
    static const double stops[][3] = {
        {244, 246, 250}, {190, 214, 236}, {108, 165, 214}, {44, 107, 176}, {16, 45, 98},
    };
    double at = share * 4;
    int i = at < 3 ? (int)at : 3;
    double t = at - i;
    int rgb[3];
    for (int channel = 0; channel < 3; channel++)
        rgb[channel] = (int)lround(stops[i][channel] * (1 - t) + stops[i + 1][channel] * t);
    fprintf(file, "#%02x%02x%02x", (unsigned)rgb[0], (unsigned)rgb[1], (unsigned)rgb[2]);
}

/* NaN, which an input may have caused, is 0. */
static double share_of(const picture *s, double p) {
    double share = s->top > 0 ? p / s->top : 0;
    return share > 0 ? fmin(share, 1) : 0;
}

static void print_labels(const picture *s) {
    const attention_map *map = s->map;
    fprintf(s->file, "<g font-size=\"%.1f\" fill=\"#1f2733\">\n", s->font);
    for (int64_t i = 0; i < map->rows; i++) {
        fprintf(s->file, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">", s->x - 8,
                s->y + s->cell * ((double)i + 0.5) + s->font * 0.35);
        print_text(s->file, map->row_tokens->tokens[i]);
        fputs("</text>\n", s->file);
    }
    for (int64_t j = 0; j < map->columns; j++) {
        double x = s->x + s->cell * ((double)j + 0.5) + s->font * 0.2, y = s->y - 8;
        fprintf(s->file, "<text transform=\"translate(%.1f %.1f) rotate(-45)\">", x, y);
        print_text(s->file, map->column_tokens->tokens[j]);
        fputs("</text>\n", s->file);
    }
    fputs("</g>\n", s->file);
}

/* One cell: a square, its value if there is room, and the two tokens for whoever points at it. */
static void print_cell(const picture *s, int64_t row, int64_t column, double p) {
    double x = s->x + s->cell * (double)column, y = s->y + s->cell * (double)row, share = share_of(s, p);
    fprintf(s->file, "<g><title>");
    print_text(s->file, s->map->row_tokens->tokens[row]);
    fputs(" \u2192 ", s->file);
    print_text(s->file, s->map->column_tokens->tokens[column]);
    fprintf(s->file, ": %.1f %%</title><rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"", p * 100, x,
            y, s->cell, s->cell);
    print_colour(s->file, share);
    fputs("\"/>", s->file);
    if (s->cell >= 20 && p >= 0.095)
        fprintf(s->file,
                "<text x=\"%.1f\" y=\"%.1f\" font-size=\"%.1f\" text-anchor=\"middle\" fill=\"%s\">%.0f</text>",
                x + s->cell / 2, y + s->cell / 2 + s->cell * 0.13, s->cell * 0.37, share > 0.5 ? "#ffffff" : "#1f2733",
                p * 100);
    fputs("</g>\n", s->file);
}

static void print_matrix(const picture *s) {
    const attention_map *map = s->map;
    fprintf(s->file, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"", s->x, s->y, s->width,
            s->height);
    print_colour(s->file, 0);
    fputs("\"/>\n", s->file);
    /* What rounds to nothing looks like the background. */
    for (int64_t i = 0; i < map->rows; i++)
        for (int64_t j = 0; j < map->columns; j++)
            if (map->p[i * map->ld + j] >= 0.002f)
                print_cell(s, i, j, (double)map->p[i * map->ld + j]);
    /* The grid, drawn once over the cells, separates them without gaps between neighbours of one colour. */
    fprintf(s->file, "<path stroke=\"#ffffff\" stroke-width=\"%.1f\" d=\"", s->cell >= 16 ? 1.5 : 0.5);
    for (int64_t i = 1; i < map->rows; i++)
        fprintf(s->file, "M%.1f %.1fh%.1f", s->x, s->y + s->cell * (double)i, s->width);
    for (int64_t j = 1; j < map->columns; j++)
        fprintf(s->file, "M%.1f %.1fv%.1f", s->x + s->cell * (double)j, s->y, s->height);
    fputs("\"/>\n", s->file);
}

static void print_scale(const picture *s, double x) {
    enum { STEPS = 48, TICKS = 4 };
    const double width = 14, height = fmin(s->height, 260);
    for (int i = 0; i < STEPS; i++) {
        fprintf(s->file, "<rect x=\"%.1f\" y=\"%.2f\" width=\"%.1f\" height=\"%.2f\" fill=\"", x,
                s->y + height * (STEPS - 1 - i) / STEPS, width, height / STEPS + 0.4);
        print_colour(s->file, (i + 0.5) / STEPS);
        fputs("\"/>\n", s->file);
    }
    fprintf(s->file, "<g font-size=\"%.1f\" fill=\"#5b6675\">\n", small_font);
    for (int i = 0; i <= TICKS; i++)
        fprintf(s->file, "<text x=\"%.1f\" y=\"%.1f\">%.3g %%</text>\n", x + width + 6,
                s->y + height * (TICKS - i) / TICKS + small_font * 0.35, s->top * 100 * i / TICKS);
    fputs("</g>\n", s->file);
}

/* Title, and what the axes are. */
static void print_captions(const picture *s, const char *cut) {
    const char *title = s->map->title ? s->map->title : "Attention";
    fprintf(s->file, "<text x=\"%.1f\" y=\"%.1f\" font-size=\"%.1f\" font-weight=\"bold\" fill=\"#1f2733\">", margin,
            margin + title_font * 0.8, title_font);
    print_text(s->file, title);
    fprintf(s->file,
            "</text>\n<text x=\"%.1f\" y=\"%.1f\" font-size=\"%.1f\" fill=\"#5b6675\">each row: how a token (query) "
            "spreads its attention over all tokens (keys), in %%%s%s</text>\n",
            margin, margin + title_font + small_font * 1.3, small_font, *cut ? "; " : "", cut);
}

/* The value of the darkest colour: one whose quarters are round numbers, unless the map is faint. */
static double scale_top(const attention_map *map) {
    double max = (double)attention_map_max(map);
    return max < 0.1 ? max : fmin(ceil(max * 5) / 5, 1);
}

void heatmap_svg(FILE *file, const attention_map *map) {
    const int64_t columns = map->columns > 0 ? map->columns : 1, rows = map->rows > 0 ? map->rows : 1;
    char cut[160];
    attention_map_cut(map, cut, sizeof cut);
    picture s = {.file = file, .map = map, .top = scale_top(map)};
    s.cell = fmax(8, fmin(32, floor(800 / (double)(columns > rows ? columns : rows))));
    s.font = fmin(14, s.cell * 0.8);
    double slant = (double)longest(map->column_tokens, map->columns) * s.font * character * diagonal + s.font;
    s.x = margin + (double)longest(map->row_tokens, map->rows) * s.font * character + 12;
    s.y = margin + title_font + small_font * 2 + slant + 12;
    s.width = s.cell * (double)columns;
    s.height = s.cell * (double)rows;
    /* The last column's label leans over the scale. */
    double scale_x = s.x + s.width + 24, right = scale_x + fmax(slant - 24, 64);
    double caption = (double)strlen(map->title ? map->title : "") * title_font * character;
    double note = (double)(84 + strlen(cut)) * small_font * 0.55;
    double width = fmax(right, fmax(caption, note) + margin) + margin, height = s.y + fmax(s.height, 120) + margin;

    fprintf(file,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" "
            "height=\"%.0f\" viewBox=\"0 0 %.0f %.0f\" font-family=\"system-ui, 'DejaVu Sans', sans-serif\">\n"
            "<rect width=\"100%%\" height=\"100%%\" fill=\"#ffffff\"/>\n",
            width, height, width, height);
    print_captions(&s, cut);
    print_labels(&s);
    print_matrix(&s);
    print_scale(&s, scale_x);
    fputs("</svg>\n", file);
}
