/* Checks at the border of the library. Behind it, every size, pointer and stride is known to be sound. */
#ifndef FOVEA_SRC_VALIDATE_H
#define FOVEA_SRC_VALIDATE_H

#include "fovea/attention.h"
#include "fovea/cache.h"
#include "fovea/merge.h"
#include "fovea/prefix.h"
#include "fovea/rope.h"

/* Checks a descriptor and copies it to *out with struct_size set to this version's and the default scale filled in
 * (out->has_scale is then always 1). */
fovea_status fv_validate_desc(const fovea_attention_desc *desc, fovea_attention_desc *out);

/* Checks the arguments of one execution against a descriptor that fv_validate_desc returned, the values of key_lengths,
 * first_keys, cumulative offsets and the block table included. Allocates nothing; a small dense call takes about 100
 * ns. */
fovea_status fv_validate_args(const fovea_attention_desc *desc, const fovea_attention_args *args);

/* Checks an executor; NULL is fine. */
fovea_status fv_validate_executor(const fovea_executor *executor);

fovea_status fv_validate_merge(const fovea_merge_args *args);

/* Checks a prefix against a descriptor and arguments that the functions above found sound. */
fovea_status fv_validate_prefix(const fovea_attention_desc *desc, const fovea_attention_args *args,
                                const fovea_prefix_args *prefix);

/* The values of lengths, offsets, positions and the block table included. */
fovea_status fv_validate_append(const fovea_kv_append_args *args);

/* The values of lengths, offsets and, with tables, positions included. */
fovea_status fv_validate_rope(const fovea_rope_args *args);

#endif
