/* fovea: softmax(Q K^T) V on CPUs.
 *
 * This header includes the whole public API:
 *
 *   version.h    version macros, fovea_version
 *   status.h     statuses and the reason of the last failure
 *   types.h      element types and small shared structs (executor, allocator)
 *   isa.h        which instruction sets were detected, built in and chosen
 *   attention.h  descriptor -> plan -> execute, and the one-call form
 *   cache.h      appending keys and values to the cache of a decoding loop
 *   rope.h       rotary position embeddings of queries and keys
 *   merge.h      exact merge of partial results over disjoint key sets
 *   prefix.h     keys that all sequences of a batch begin with
 *
 * Conventions, valid everywhere unless a comment says otherwise:
 *
 *   - Sizes and strides are signed 64-bit counts of ELEMENTS, never bytes.
 *   - Pointers in a struct are borrowed for the duration of one call; fovea keeps none of them.
 *   - Every function may be called from any number of host threads at once.
 *   - Every function that can fail returns a fovea_status; nothing aborts, nothing is printed, and nothing is
 *     written to an output when the status is not FOVEA_OK. fovea_last_reason() gives one line that names the field.
 *   - Zero is the default of every field: start from `fovea_attention_desc desc = {.struct_size = sizeof desc};`
 *     (C++: `fovea_attention_desc desc{}; desc.struct_size = sizeof desc;`). Structs grow only at their end.
 */
#ifndef FOVEA_FOVEA_H
#define FOVEA_FOVEA_H

#include "attention.h"
#include "cache.h"
#include "isa.h"
#include "merge.h"
#include "prefix.h"
#include "rope.h"
#include "status.h"
#include "types.h"
#include "version.h"

#endif
