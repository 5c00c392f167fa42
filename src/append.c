/* fovea_kv_append: rows of new keys and values into a cache. */
#include "src/append.h"

#include "src/copy.h"
#include "src/dispatch.h"
#include "src/elements.h"
#include "src/validate.h"

enum { TOKENS_AT_ONCE = 32 };

/* Keys or values: where new rows come from and where they go. */
typedef struct tensor {
    const void *from;
    const int64_t *from_strides;
    void *to;
    const int64_t *to_strides;
    float *scales;
    const int64_t *scale_strides;
    int64_t count;
} tensor;

typedef struct append_call {
    const fovea_kv_append_args *args;
    const fv_backend *backend;
    fv_tokens tokens;
    tensor keys;
    tensor values;
} append_call;

/* Indices of a tensor's first axis and of its axis of tokens. */
typedef struct slot {
    int64_t outer;
    int64_t row;
} slot;

static slot slot_of(const fovea_kv_append_args *args, const fv_token *token) {
    int64_t position = fv_first_position(args, token->batch) + token->index;
    switch (args->form_kv) {
    case FOVEA_FORM_PACKED:
        return (slot){0, fv_index_at(args->cu_seqlens_kv, args->type_index, token->batch) + position};
    case FOVEA_FORM_PAGED:
        return (slot){fv_page_at(args, token->batch, position / args->page_size), position % args->page_size};
    case FOVEA_FORM_DENSE:
        break;
    }
    return (slot){token->batch, position};
}

static int64_t offset_of(slot at, int64_t head, const int64_t *strides) {
    return at.outer * strides[0] + head * strides[1] + at.row * strides[2];
}

static void append_row(const append_call *call, const tensor *rows, slot from, slot to, int64_t head, fv_rotor *rotor) {
    fovea_type from_type = call->args->type_new, to_type = call->args->type_kv;
    const fv_row_copy copy = {
        .backend = call->backend,
        .from_type = from_type,
        .from = fv_element(rows->from, from_type, offset_of(from, head, rows->from_strides)),
        .count = rows->count,
        .to_type = to_type,
        .to = fv_element_out(rows->to, to_type, offset_of(to, head, rows->to_strides)),
        .scale = to_type == FOVEA_INT8 ? rows->scales + offset_of(to, head, rows->scale_strides) : NULL,
        .rotor = rotor,
    };
    fv_copy_row(&copy);
}

/* The position by which a token's keys are turned. */
static int64_t position_of(const fovea_kv_append_args *args, const fv_token *token) {
    return fv_token_position(args->rotation, args->form_new, token,
                             fv_first_position(args, token->batch) + token->index);
}

/* Where tokens come from and where they go, for a few of a part at a time. */
typedef struct moves {
    int32_t count;
    fv_token token[TOKENS_AT_ONCE];
    slot to[TOKENS_AT_ONCE];
} moves;

/* The next ones of places [*place, end). */
static void find_moves(const append_call *call, int64_t *place, int64_t end, moves *found) {
    found->count = 0;
    for (; *place < end && found->count < TOKENS_AT_ONCE; ++*place) {
        fv_token *token = &found->token[found->count];
        if (fv_token_at(&call->tokens, *place, token))
            found->to[found->count++] = slot_of(call->args, token);
    }
}

static void move_row(const append_call *call, const tensor *rows, const moves *found, int32_t i, int64_t head,
                     fv_rotor *rotor) {
    const slot from = {found->token[i].outer, found->token[i].row};
    append_row(call, rows, from, found->to[i], head, rotor);
}

/* Head by head: one after the other, a head's rows follow one another in most caches, and heads lie so far apart that
 * they would drive each other's lines out of the processor's. */
static void move_rows(const append_call *call, const tensor *rows, const moves *found, const fv_token_part *part) {
    for (int64_t head = part->first_head; head < part->end_head; head++)
        for (int32_t i = 0; i < found->count; i++)
            move_row(call, rows, found, i, head, NULL);
}

/* Token by token, whose angles are made once for all heads. */
static void move_turned_rows(const append_call *call, const tensor *rows, const moves *found, const fv_token_part *part,
                             fv_rotor *rotor) {
    for (int32_t i = 0; i < found->count; i++) {
        fv_rotor_move(rotor, found->token[i].batch, position_of(call->args, &found->token[i]));
        for (int64_t head = part->first_head; head < part->end_head; head++)
            move_row(call, rows, found, i, head, rotor);
    }
}

static void append_tokens(const void *context, const fv_token_part *part) {
    const append_call *call = context;
    const fovea_kv_append_args *args = call->args;
    fv_rotor rotor;
    moves found;
    if (args->rotation)
        fv_rotor_begin(&rotor, args->rotation, call->backend, args->head_dim);
    for (int64_t place = part->begin; place < part->end;) {
        find_moves(call, &place, part->end, &found);
        if (call->keys.count > 0 && args->rotation)
            move_turned_rows(call, &call->keys, &found, part, &rotor);
        else if (call->keys.count > 0)
            move_rows(call, &call->keys, &found, part);
        if (call->values.count > 0)
            move_rows(call, &call->values, &found, part);
    }
}

fovea_status fovea_kv_append(const fovea_kv_append_args *args, const fovea_executor *executor) {
    const fv_backend *backend;
    fovea_status status = fv_validate_executor(executor);
    if (status == FOVEA_OK)
        status = fv_validate_append(args);
    if (status == FOVEA_OK)
        status = fv_dispatch(args->isa_cap, &backend);
    if (status != FOVEA_OK || args->heads_kv == 0)
        return status;
    const append_call call = {
        .args = args,
        .backend = backend,
        .tokens = fv_new_tokens(args),
        .keys = {args->k_new, args->k_new_strides, args->k, args->k_strides, args->k_scales, args->k_scale_strides,
                 args->head_dim},
        .values = {args->v_new, args->v_new_strides, args->v, args->v_strides, args->v_scales, args->v_scale_strides,
                   args->head_dim_v},
    };
    fv_for_tokens(&call.tokens, args->heads_kv, args->head_dim + args->head_dim_v, executor, args->threads,
                  append_tokens, &call);
    return FOVEA_OK;
}
