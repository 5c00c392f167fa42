/* What the validate_*.c files share. */
#ifndef FOVEA_SRC_VALIDATE_INTERNAL_H
#define FOVEA_SRC_VALIDATE_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

#include "fovea/attention.h"
#include "src/elements.h"
#include "src/overlap.h"
#include "src/tokens.h"

/* Checks that a struct that begins with struct_size is not NULL, has at least the `known` bytes of this version, and
 * only zeros after them. `name` is how the reason calls it. */
fovea_status fv_check_struct(const char *name, const void *object, size_t known);

/* Checks that the product of `axes` sizes >= 0 and `element` bytes fits. A size of 0 counts as 1, so that behind the
 * border the product of any of them is safe. `product` is its text for the reason: "batch * len". */
fovea_status fv_check_bytes(const char *name, const char *product, int64_t element, int32_t axes, const int64_t *sizes);

/* Checks an allocator; NULL is fine. */
fovea_status fv_check_allocator(const fovea_allocator *allocator);

/* Answers FOVEA_UNSUPPORTED to a legal descriptor that this version cannot compute. */
fovea_status fv_check_supported(const fovea_attention_desc *desc);

/* Checks that (batch + 1) cumulative offsets ascend within 0 ... total. */
fovea_status fv_check_offsets(const char *name, const void *offsets, fovea_index_type type, int64_t batch,
                              int64_t total);

/* Checks the offsets (packed form) or lengths (dense form) of tokens. */
fovea_status fv_check_tokens(const char *offsets, const char *lengths, const fv_tokens *tokens);

/* Checks what a rotation of rows of head_dim elements says, without its memory. */
fovea_status fv_check_rotation(const fovea_rotation *rotation, int64_t head_dim);

static inline int64_t fv_index_bytes(fovea_index_type type) {
    return type == FOVEA_INDEX_INT64 ? 8 : 4;
}

/* A tensor that a call reads or writes. */
typedef struct fv_operand {
    /* As the argument struct calls it: "k". */
    const char *name;
    const void *data;
    int64_t element;
    int32_t axes;
    /* Non-zero: a stride of 1 is demanded of the last axis. */
    int32_t contiguous;
    int64_t sizes[FV_MAX_AXES];
    const int64_t *strides;
} fv_operand;

typedef struct fv_area {
    const char *name;
    fv_box box;
} fv_area;

/* The memory that a call touches, gathered operand by operand. After a failure every function here does nothing, so
 * that only the end needs to look at `status`. */
typedef struct fv_footprint {
    fovea_status status;
    int32_t reads;
    int32_t writes;
    fv_area read[16];
    fv_area written[4];
} fv_footprint;

/* Non-zero if the operand has an element. */
int32_t fv_has_elements(const fv_operand *operand);

/* Each checks an operand that has elements (not NULL, aligned, contiguous where demanded, spans that fit; outputs: no
 * stride 0, no two indices on one element) and adds its memory. One without elements is passed over. */
void fv_reads(fv_footprint *footprint, const fv_operand *operand);
void fv_writes(fv_footprint *footprint, const fv_operand *operand);

/* The memory of a rotation. */
void fv_rotation_reads(fv_footprint *footprint, const fovea_rotation *rotation, const fv_tokens *tokens,
                       int64_t head_dim);

/* Checks the values of its frequencies and, where they index tables, its positions; first_positions (of the tokens'
 * index type) or NULL where it names none. */
fovea_status fv_check_angles(const fovea_rotation *rotation, const fv_tokens *tokens, const void *first_positions,
                             int64_t head_dim);

/* Checks that nothing written shares a byte with what is read or with another thing written; returns the status. */
fovea_status fv_check_disjoint(fv_footprint *footprint);

#endif
