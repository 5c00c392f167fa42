/* Where the tokens of fovea_kv_append go. */
#ifndef FOVEA_SRC_APPEND_H
#define FOVEA_SRC_APPEND_H

#include "fovea/cache.h"
#include "src/index.h"
#include "src/tokens.h"

static inline fv_tokens fv_new_tokens(const fovea_kv_append_args *args) {
    return (fv_tokens){
        .form = args->form_new,
        .type_index = args->type_index,
        .batch = args->batch,
        .len = args->len_new,
        .lengths = args->lengths_new,
        .cu_seqlens = args->cu_seqlens_new,
    };
}

/* The place of batch entry b's first new token in its sequence. */
static inline int64_t fv_first_position(const fovea_kv_append_args *args, int64_t b) {
    return args->first_positions ? fv_index_at(args->first_positions, args->type_index, b) : 0;
}

/* The page that entry `index` of batch entry b's block table names. */
static inline int64_t fv_page_at(const fovea_kv_append_args *args, int64_t b, int64_t index) {
    return fv_index_at(args->block_table, args->type_index,
                       b * args->block_table_strides[0] + index * args->block_table_strides[1]);
}

#endif
