#include "src/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Long enough for the longest reason with its numbers; what does not fit is cut. */
enum { REASON_SIZE = 256 };

static _Thread_local char reason[REASON_SIZE];

fovea_status fv_fail(fovea_status status, const char *format, ...) {
    /* Formatted apart first, for an argument may be the previous reason itself. */
    char line[REASON_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    /* Arguments may come from the environment; the reason stays one line whatever they hold. */
    for (char *c = line; *c != '\0'; c++)
        if ((unsigned char)*c < ' ')
            *c = ' ';
    memcpy(reason, line, sizeof reason);
    return status;
}

const char *fovea_last_reason(void) {
    return reason;
}

const char *fovea_status_string(fovea_status status) {
    switch (status) {
    case FOVEA_OK:
        return "ok";
    case FOVEA_INVALID:
        return "invalid";
    case FOVEA_UNSUPPORTED:
        return "unsupported";
    case FOVEA_OUT_OF_MEMORY:
        return "out of memory";
    case FOVEA_WORKSPACE_TOO_SMALL:
        return "workspace too small";
    }
    return "unknown status";
}
