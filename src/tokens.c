#include "src/tokens.h"

#include "src/exec.h"
#include "src/index.h"
#include "src/integer.h"

/* Elements of a task: enough to hide what handing it out costs, few enough to fill many threads. */
enum { TASK_ELEMENTS = 1 << 15 };
/* Elements below which a second thread costs more than it gives. */
enum { SHAREABLE_ELEMENTS = 1 << 16 };

static int64_t offset_at(const fv_tokens *tokens, int64_t b) {
    return fv_index_at(tokens->cu_seqlens, tokens->type_index, b);
}

int64_t fv_token_count(const fv_tokens *tokens, int64_t b) {
    if (tokens->form == FOVEA_FORM_PACKED)
        return offset_at(tokens, b + 1) - offset_at(tokens, b);
    return tokens->lengths ? fv_index_at(tokens->lengths, tokens->type_index, b) : tokens->len;
}

static int32_t dense_token_at(const fv_tokens *tokens, int64_t place, fv_token *token) {
    int64_t b = place / tokens->len;
    *token = (fv_token){.batch = b, .index = place % tokens->len, .outer = b, .row = place % tokens->len};
    return token->index < fv_token_count(tokens, b);
}

/* Empty sequences share their offset with the one behind them, which holds the token. */
static int32_t packed_token_at(const fv_tokens *tokens, int64_t place, fv_token *token) {
    int64_t low = -1, high = tokens->batch;
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        if (offset_at(tokens, middle) <= place)
            low = middle;
        else
            high = middle;
    }
    if (low < 0 || place >= offset_at(tokens, low + 1))
        return 0;
    *token = (fv_token){.batch = low, .index = place - offset_at(tokens, low), .outer = 0, .row = place};
    return 1;
}

int32_t fv_token_at(const fv_tokens *tokens, int64_t place, fv_token *token) {
    return tokens->form == FOVEA_FORM_DENSE ? dense_token_at(tokens, place, token)
                                            : packed_token_at(tokens, place, token);
}

/* A loop over tokens that threads share. */
typedef struct token_loop {
    int64_t places;
    int64_t heads;
    /* One of them is 1. */
    int64_t places_of_task;
    int64_t tasks_of_place;
    int64_t heads_of_task;
    fv_token_range *range;
    const void *context;
} token_loop;

static void run_task(void *context, int64_t task, int32_t worker) {
    (void)worker;
    const token_loop *loop = context;
    const int64_t begin = task / loop->tasks_of_place * loop->places_of_task;
    const int64_t head = task % loop->tasks_of_place * loop->heads_of_task;
    const fv_token_part part = {
        .begin = begin,
        .end = fv_min64(begin + loop->places_of_task, loop->places),
        .first_head = head,
        .end_head = fv_min64(head + loop->heads_of_task, loop->heads),
    };
    loop->range(loop->context, &part);
}

void fv_for_tokens(const fv_tokens *tokens, int64_t heads, int64_t elements, const fovea_executor *executor,
                   int32_t threads, fv_token_range *range, const void *context) {
    if (heads == 0 || elements == 0)
        return;
    const int64_t rows_of_task = elements < TASK_ELEMENTS ? TASK_ELEMENTS / elements : 1;
    token_loop loop = {
        .places = fv_token_places(tokens),
        .heads = heads,
        .places_of_task = heads < rows_of_task ? rows_of_task / heads : 1,
        .tasks_of_place = fv_ceil_div(heads, rows_of_task),
        .range = range,
        .context = context,
    };
    loop.heads_of_task = fv_ceil_div(heads, loop.tasks_of_place);
    const int64_t tasks = fv_ceil_div(loop.places, loop.places_of_task) * loop.tasks_of_place;
    const int32_t alone = loop.places < fv_ceil_div(SHAREABLE_ELEMENTS, heads * elements);
    fv_parallel_for(executor, alone ? 1 : fv_concurrency(executor, threads), tasks, run_task, &loop);
}
