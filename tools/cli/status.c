#include "status.h"

#include <stdarg.h>
#include <stdio.h>

cli_status cli_fail(cli_status status, const char *format, ...) {
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    for (char *c = text; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = '?';
    fprintf(stderr, "fovea: %s\n", text);
    return status;
}

cli_status cli_fail_library(fovea_status status) {
    const char *reason = fovea_last_reason();
    return cli_fail(status == FOVEA_INVALID ? CLI_BAD_INPUT : CLI_FAILED, "%s: %s", fovea_status_string(status),
                    *reason ? reason : "no reason given");
}

cli_status cli_fail_memory(void) {
    return cli_fail(CLI_FAILED, "out of memory");
}
