/* A progress line on stderr for work that takes longer than a second: an executor that counts finished tasks. */
#ifndef FOVEA_CLI_PROGRESS_H
#define FOVEA_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "fovea/types.h"

typedef struct progress {
    /* For the library; valid while this struct stays where it is. */
    fovea_executor executor;
    int32_t threads;
    double start, last_drawn;
    bool drawn;
} progress;

/* Prepares an OpenMP executor of `threads` threads (0: as many as OpenMP would take). */
void progress_begin(progress *p, int32_t threads);

/* Removes the line. */
void progress_end(progress *p);

#endif
