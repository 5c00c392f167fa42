/* Few query rows for each key/value head: row kernels, keys and values read once for the whole group. */
#ifndef FOVEA_SRC_DECODE_H
#define FOVEA_SRC_DECODE_H

#include "src/call.h"

void fv_decode_item(const fv_call *call, fv_item item, const fv_scratch *scratch);

#endif
