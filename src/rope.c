/* fovea_rope: rows of queries and keys, turned. */
#include "fovea/rope.h"

#include "src/copy.h"
#include "src/dispatch.h"
#include "src/elements.h"
#include "src/index.h"
#include "src/integer.h"
#include "src/validate.h"

/* Queries or keys. */
typedef struct tensor {
    int64_t heads;
    const void *from;
    const int64_t *from_strides;
    void *to;
    const int64_t *to_strides;
} tensor;

typedef struct rope_call {
    const fovea_rope_args *args;
    const fv_backend *backend;
    fv_tokens tokens;
    tensor queries;
    tensor keys;
} rope_call;

static int64_t offset_of(const fv_token *token, int64_t head, const int64_t *strides) {
    return token->outer * strides[0] + head * strides[1] + token->row * strides[2];
}

/* Turns those of heads [first, end) that the tensor has. */
static void turn_heads(const rope_call *call, const tensor *rows, const fv_token *token, int64_t first, int64_t end,
                       fv_rotor *rotor) {
    fovea_type type = call->args->type;
    end = fv_min64(end, rows->heads);
    for (int64_t head = first < 0 ? 0 : first; head < end; head++) {
        const fv_row_copy copy = {
            .backend = call->backend,
            .from_type = type,
            .from = fv_element(rows->from, type, offset_of(token, head, rows->from_strides)),
            .count = call->args->head_dim,
            .to_type = type,
            .to = fv_element_out(rows->to, type, offset_of(token, head, rows->to_strides)),
            .rotor = rotor,
        };
        fv_copy_row(&copy);
    }
}

static int64_t position_of(const fovea_rope_args *args, const fv_token *token) {
    int64_t first = args->first_positions ? fv_index_at(args->first_positions, args->type_index, token->batch) : 0;
    /* Any number is legal; near the last one doubles do not tell neighbours apart. */
    return fv_token_position(args->rotation, args->form, token, fv_add_saturating(first, token->index));
}

/* Heads of keys are counted behind those of queries. */
static void turn_tokens(const void *context, const fv_token_part *part) {
    const rope_call *call = context;
    const int64_t queries = call->args->heads_q;
    fv_token token;
    fv_rotor rotor;
    fv_rotor_begin(&rotor, call->args->rotation, call->backend, call->args->head_dim);
    for (int64_t i = part->begin; i < part->end; i++) {
        if (!fv_token_at(&call->tokens, i, &token))
            continue;
        fv_rotor_move(&rotor, token.batch, position_of(call->args, &token));
        turn_heads(call, &call->queries, &token, part->first_head, part->end_head, &rotor);
        turn_heads(call, &call->keys, &token, part->first_head - queries, part->end_head - queries, &rotor);
    }
}

fovea_status fovea_rope(const fovea_rope_args *args, const fovea_executor *executor) {
    const fv_backend *backend;
    fovea_status status = fv_validate_executor(executor);
    if (status == FOVEA_OK)
        status = fv_validate_rope(args);
    if (status == FOVEA_OK)
        status = fv_dispatch(args->isa_cap, &backend);
    if (status != FOVEA_OK || args->head_dim == 0)
        return status;
    const rope_call call = {
        .args = args,
        .backend = backend,
        .tokens = fv_rope_tokens(args),
        .queries = {args->heads_q, args->q, args->q_strides, args->q_out, args->q_out_strides},
        .keys = {args->heads_kv, args->k, args->k_strides, args->k_out, args->k_out_strides},
    };
    fv_for_tokens(&call.tokens, args->heads_q + args->heads_kv, args->head_dim, executor, args->threads, turn_tokens,
                  &call);
    return FOVEA_OK;
}
