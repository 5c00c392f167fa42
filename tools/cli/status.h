/* Exit statuses, and the one way to say what went wrong. */
#ifndef FOVEA_CLI_STATUS_H
#define FOVEA_CLI_STATUS_H

#include "fovea/status.h"

/* The program's exit statuses; documented in fovea(1). */
typedef enum cli_status {
    CLI_OK = 0,
    /* The numbers were computed, and differ from the reference by more than the tolerance. */
    CLI_DIFFERENT = 1,
    /* The command line or an input file is wrong. */
    CLI_BAD_INPUT = 2,
    /* Input and usage are fine, but this machine or this build cannot: memory, disk, an unsupported request. */
    CLI_FAILED = 3
} cli_status;

/* Writes "fovea: " and the text to stderr as one line (control characters become '?', for names and files are not
 * trusted) and returns `status`. */
cli_status cli_fail(cli_status status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same for a call of the library: its reason, and the exit status that belongs to it. `status` is not FOVEA_OK. */
cli_status cli_fail_library(fovea_status status);

/* CLI_FAILED with "out of memory". */
cli_status cli_fail_memory(void);

#endif
