/* Producing a failure: the status, and the calling thread's reason. */
#ifndef FOVEA_SRC_STATUS_H
#define FOVEA_SRC_STATUS_H

#include "fovea/status.h"

/* Sets the thread's reason as printf would (one line, cut to fit) and returns `status`. */
fovea_status fv_fail(fovea_status status, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
