/* Statuses, and the reason of the last failure. */
#ifndef FOVEA_STATUS_H
#define FOVEA_STATUS_H

#include "export.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum fovea_status {
    FOVEA_OK = 0,
    /* The request contradicts the API: a required pointer is NULL, memory overlaps, an enum is unknown... */
    FOVEA_INVALID = 1,
    /* The request is legal, but this build or the chosen backend cannot serve it. */
    FOVEA_UNSUPPORTED = 2,
    /* The allocator returned NULL. */
    FOVEA_OUT_OF_MEMORY = 3,
    /* The caller's workspace is smaller than fovea_plan_workspace_size() for one worker. */
    FOVEA_WORKSPACE_TOO_SMALL = 4
} fovea_status;

/* A short English name, for example "invalid". Static; never NULL, also for a value that is no status. */
FOVEA_API const char *fovea_status_string(fovea_status status);

/* Why the last call of THIS thread that returned a status other than FOVEA_OK did so: one line, without a newline, that
 * names the field ("heads_q (7) is not a multiple of heads_kv (2)"). Empty before the first failure; a success leaves
 * it as it was. Never NULL. The text belongs to the thread and lives until its next failing call. */
FOVEA_API const char *fovea_last_reason(void);

#ifdef __cplusplus
}
#endif
#endif
