#include "json.h"

#include <inttypes.h>
#include <math.h>

#include "utf8.h"

void json_string(FILE *file, const char *text) {
    fputc('"', file);
    for (; *text; text += utf8_step(text)) {
        if (*text == '"' || *text == '\\')
            fprintf(file, "\\%c", *text);
        else if ((unsigned char)*text < 0x20)
            fprintf(file, "\\u%04x", (unsigned)*text);
        else if (utf8_printable(text))
            fprintf(file, "%.*s", utf8_step(text), text);
        else
            fputc('?', file);
    }
    fputc('"', file);
}

void json_number(FILE *file, double number) {
    if (isfinite(number))
        fprintf(file, "%.9g", number);
    else
        fputs("null", file);
}

void json_integers(FILE *file, const int64_t *values, int32_t count) {
    fputc('[', file);
    for (int32_t i = 0; i < count; i++)
        fprintf(file, "%s%" PRId64, i ? ", " : "", values[i]);
    fputc(']', file);
}
