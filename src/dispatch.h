/* Choosing a backend: detected and not capped, the one of highest rank. */
#ifndef FOVEA_SRC_DISPATCH_H
#define FOVEA_SRC_DISPATCH_H

#include <stdint.h>

#include "arch/kernel.h"
#include "fovea/isa.h"

/* The backend for a plan with this cap (FOVEA_ISA_AUTO: none), under the process's own cap FOVEA_ISA, on this
 * processor. FOVEA_INVALID: FOVEA_ISA is not a backend of this build, or cap is no fovea_isa. FOVEA_UNSUPPORTED: cap is
 * not a backend of this build. Thread-safe. */
fovea_status fv_dispatch(fovea_isa cap, const fv_backend **backend);

/* The decision itself, pure: the best compiled-in backend whose requirements are within `features` (FV_CPU_* bits) and
 * whose rank is not above `cap`'s. Never NULL, for generic requires nothing. */
const fv_backend *fv_dispatch_select(uint32_t features, fovea_isa cap);

/* The compiled-in backends in order of rank, for tests and benchmarks: NULL when index is past the last. */
const fv_backend *fv_backend_at(int32_t index);

/* Non-zero if this processor can run the backend. */
int32_t fv_backend_runs(const fv_backend *backend);

#endif
