#include "json.h"

static void put_string(FILE *file, const char *text) {
    fputc('"', file);
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        if (*c == '"' || *c == '\\')
            fputc('\\', file);
        if (*c < 0x20)
            fprintf(file, "\\u%04x", *c);
        else
            fputc(*c, file);
    }
    fputc('"', file);
}

static void put_text(FILE *file, const char *key, const char *text) {
    fprintf(file, ", \"%s\": ", key);
    put_string(file, text);
}

static void put_number(FILE *file, const char *key, double value) {
    fprintf(file, ", \"%s\": %.6g", key, value);
}

int32_t json_begin(json_writer *writer, const char *path, const bench_environment *environment) {
    *writer = (json_writer){.file = fopen(path, "w")};
    if (!writer->file)
        return 0;
    fputs("{\"environment\": {\"fovea\": ", writer->file);
    put_string(writer->file, environment->version);
    put_text(writer->file, "cpu", environment->cpu);
    put_text(writer->file, "date", environment->date);
    put_text(writer->file, "pages", environment->pages);
    put_text(writer->file, "read_pattern", environment->pattern);
    put_number(writer->file, "threads", environment->threads);
    put_number(writer->file, "load", environment->load);
    put_number(writer->file, "read_bytes_per_second", environment->bandwidth);
    fputs("},\n\"rows\": [", writer->file);
    return 1;
}

static void begin_row(json_writer *writer, const bench_case *item) {
    fprintf(writer->file, "%s\n{\"name\": ", writer->rows++ ? "," : "");
    put_string(writer->file, item->name);
    put_text(writer->file, "row", bench_row(item));
    put_text(writer->file, "backend", item->backend->name);
    put_text(writer->file, "exp", item->exp);
}

void json_result(json_writer *writer, const bench_case *item, const bench_result *result, const bench_goal *goal,
                 const char *verdict) {
    FILE *file = writer->file;
    begin_row(writer, item);
    put_text(file, "unit", bench_unit(item->limit));
    put_text(file, "better", bench_smaller_is_better(item->limit) ? "smaller" : "larger");
    put_number(file, "figure", result->figure.median);
    put_number(file, "lower_quartile", result->figure.lower);
    put_number(file, "upper_quartile", result->figure.upper);
    put_number(file, "rounds", result->rounds);
    put_number(file, "disturbed", result->disturbed);
    put_number(file, "seconds", result->seconds);
    put_number(file, "flops", item->flops);
    put_number(file, "bytes", item->bytes);
    put_number(file, "peak_flops_per_second", result->peak);
    put_number(file, "read_bytes_per_second", result->bandwidth);
    put_number(file, "share_fma", result->share_fma);
    put_number(file, "share_read", result->share_read);
    put_number(file, "goal", goal->goal);
    put_number(file, "floor", goal->floor);
    put_text(file, "verdict", verdict);
    fputc('}', file);
}

void json_skipped(json_writer *writer, const bench_case *item, const char *reason) {
    begin_row(writer, item);
    put_text(writer->file, "skipped", reason);
    fputc('}', writer->file);
}

int32_t json_end(json_writer *writer) {
    fputs("\n]}\n", writer->file);
    const int32_t written = !ferror(writer->file);
    return fclose(writer->file) == 0 && written;
}
