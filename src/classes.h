/* Runs of keys that masks and biases of -inf forbid altogether, or that a mask allows altogether: what need not be
 * computed, and what need not be masked.
 *
 * A run is FV_RUN_KEYS keys from a multiple of that number on. The values of mask and bias alone decide, so the same
 * problem is always cut in the same way.
 *
 * Heads that share masks and biases share the classes too: reading a mask once for each of them would cost more than a
 * sparse one leaves to compute. They are kept in the workspace while they are few; else each panel looks for itself. */
#ifndef FOVEA_SRC_CLASSES_H
#define FOVEA_SRC_CLASSES_H

#include "src/call.h"

/* Looks at `windows` windows of FV_RUNS runs from first_run on, as far as they hold any of `keys`, for `lanes` lanes
 * from first_lane on. */
void fv_classify(const fv_head *head, int64_t first_lane, int32_t lanes, fv_key_range keys, int64_t first_run,
                 int32_t windows, fv_classes *classes);

/* Panels of the call whose classes are kept, if its heads share masks and biases: 0 if not. */
int64_t fv_shared_class_panels(const fv_call *call);

/* Finds those of panel `index` of all batch entries. */
void fv_classify_shared(const fv_call *call, int64_t index);

#endif
