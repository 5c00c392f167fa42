/* Many query rows: panels of lanes over key blocks. */
#ifndef FOVEA_SRC_PREFILL_H
#define FOVEA_SRC_PREFILL_H

#include "src/call.h"

/* Most panels of an item. */
#define FV_MAX_ITEM_PANELS 96

/* `next` is what the same thread will probably take next, or NULL: no result depends on it. */
void fv_prefill_item(const fv_call *call, fv_item item, const fv_item *next, const fv_scratch *scratch);

#endif
