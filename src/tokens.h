/* The tokens of a call that treats each by itself (appending, rotating): of a dense tensor or of packed sequences. */
#ifndef FOVEA_SRC_TOKENS_H
#define FOVEA_SRC_TOKENS_H

#include <stdint.h>

#include "fovea/attention.h"
#include "fovea/rope.h"

typedef struct fv_tokens {
    /* Dense or packed. */
    fovea_form form;
    fovea_index_type type_index;
    int64_t batch;
    /* Tokens of an entry at most, or of all. */
    int64_t len;
    /* Dense: (batch) tokens of each entry, or NULL. */
    const void *lengths;
    /* Packed: (batch + 1). */
    const void *cu_seqlens;
} fv_tokens;

typedef struct fv_token {
    int64_t batch;
    /* Its place in its sequence, and in the tensor's axes of batch entries and of tokens. */
    int64_t index;
    int64_t outer;
    int64_t row;
} fv_token;

/* Places for tokens in the tensor. */
static inline int64_t fv_token_places(const fv_tokens *tokens) {
    return tokens->form == FOVEA_FORM_DENSE ? tokens->batch * tokens->len : tokens->len;
}

static inline fv_tokens fv_rope_tokens(const fovea_rope_args *args) {
    return (fv_tokens){
        .form = args->form,
        .type_index = args->type_index,
        .batch = args->batch,
        .len = args->len,
        .lengths = args->lengths,
        .cu_seqlens = args->cu_seqlens,
    };
}

/* Tokens of batch entry b. */
int64_t fv_token_count(const fv_tokens *tokens, int64_t b);

/* The token at a place; 0 if there is none. */
int32_t fv_token_at(const fv_tokens *tokens, int64_t place, fv_token *token);

/* Some places for tokens, and some heads of the tokens there. */
typedef struct fv_token_part {
    int64_t begin;
    int64_t end;
    int64_t first_head;
    int64_t end_head;
} fv_token_part;

typedef void fv_token_range(const void *context, const fv_token_part *part);

/* Runs range(context, part) for parts of all places and heads, on as many of the executor's threads as are worth it for
 * rows of `elements` elements, but at most `threads` (0: no limit). Only tokens with very many elements are divided
 * among threads by heads. */
void fv_for_tokens(const fv_tokens *tokens, int64_t heads, int64_t elements, const fovea_executor *executor,
                   int32_t threads, fv_token_range *range, const void *context);

#endif
