/* Attention: descriptor -> plan -> execute.
 *
 *   for every batch entry b, query head h, query row i:
 *     s[j] = scale * dot(q[b,h,i], k[b,h/group,j])                  group = heads_q / heads_kv
 *     s[j] = softcap * tanh(s[j] / softcap)                         if softcap > 0
 *     s[j] = s[j] - slope[h] * |delta(i) - j| + bias[b,h,i,j]       where given
 *     s[j] = -inf                                                   where any mask forbids (i, j)
 *     p    = softmax(s), in f32                                     a sink adds one logit without a value
 *     out[b,h,i] = sum_j p[j] * v[b,h/group,j]                      accumulated in f32
 *
 * delta(i), the diagonal, is the key position that causality, windows and ALiBi refer to (fovea_diagonal).
 * A row without an allowed key gives output 0 and log-sum-exp -inf, or its sink where there is one. NaN and infinities
 * in allowed positions propagate as IEEE arithmetic gives it; a forbidden position never reaches the result, whatever
 * it holds. Scores are kept in units of log2: beyond 2.36e38, which is f32's largest number divided by log2 e, they
 * count as infinite.
 *
 * Method: online softmax (Milakov and Gimelshein, "Online normalizer calculation for softmax", 2018) over key blocks as
 * in FlashAttention-2 (Dao, 2023), split keys for few query rows as in Flash-Decoding (Dao, Haziza, Massa and Sizov,
 * 2023). Operator order as in ONNX Attention (opset 24 with the softcap order of ONNX 1.22) and FlashAttention-2.
 *
 * Results are bitwise the same for any number of threads, any executor and any batch around a sequence, on one backend
 * with one descriptor. */
#ifndef FOVEA_ATTENTION_H
#define FOVEA_ATTENTION_H

#include <stddef.h>
#include <stdint.h>

#include "export.h"
#include "isa.h"
#include "status.h"
#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The key position delta(i) of query row i. len_q and len_kv are the batch entry's own lengths. */
typedef enum fovea_diagonal {
    /* i + (len_kv - len_q): the last query row sits at the last key (KV-cache decoding, FlashAttention >= 2.1). */
    FOVEA_DIAGONAL_BOTTOM_RIGHT = 0,
    /* i (PyTorch SDPA's is_causal). */
    FOVEA_DIAGONAL_TOP_LEFT = 1,
    /* i + query_offsets[b]; offsets may be negative. */
    FOVEA_DIAGONAL_OFFSETS = 2
} fovea_diagonal;

/* How a tensor's tokens are stored. */
typedef enum fovea_form {
    /* (batch, heads, len, head_dim), any strides. */
    FOVEA_FORM_DENSE = 0,
    /* (total, heads, head_dim) with cumulative offsets: sequences of different lengths, one after the other. Strides
     * are those of the dense form for a batch of one: (not looked at, head, token, element). A mask, a bias and
     * weights, which have an element for every pair of a query and a key, have no such form: FOVEA_UNSUPPORTED. */
    FOVEA_FORM_PACKED = 1,
    /* Keys and values only: pages of page_size tokens, found through a block table. Pages may lie in any order, and
     * sequences may share them; strides are (page, head, token, element). Masks, bias and weights number keys as their
     * sequence does. */
    FOVEA_FORM_PAGED = 2
} fovea_form;

/* The exponential of the f32 softmax. */
typedef enum fovea_exp {
    /* The library's choice: SLEEF for f32 results, FUSED for f16 and bf16 results and in bf16 arithmetic. */
    FOVEA_EXP_DEFAULT = 0,
    /* SLEEF's vectorised exp2 (3.5 ULP bound). */
    FOVEA_EXP_SLEEF = 1,
    /* An inline polynomial fused into the score kernel: relative error <= 2.4e-7, faster. In bf16 arithmetic without a
     * log-sum-exp it is a coarser one, 1.2e-4, whose results are rounded to bf16 (4e-3). */
    FOVEA_EXP_FUSED = 2
} fovea_exp;

/* What the optional weights output holds. Scores are in natural units, and -inf at keys past an entry's length; those
 * before masks are given at forbidden positions too. */
typedef enum fovea_weights {
    FOVEA_WEIGHTS_NONE = 0,
    /* Probabilities; 0 where forbidden. */
    FOVEA_WEIGHTS_PROBABILITIES = 1,
    /* scale * dot(q, k). */
    FOVEA_WEIGHTS_SCALED_SCORES = 2,
    /* Scores after softcap. */
    FOVEA_WEIGHTS_CAPPED_SCORES = 3,
    /* Scores after ALiBi, bias and masks; -inf where forbidden. */
    FOVEA_WEIGHTS_MASKED_SCORES = 4,
    /* The mean of the probabilities over the query heads, added up in their order: shape (batch, 1, len_q, len_kv). */
    FOVEA_WEIGHTS_MEAN_PROBABILITIES = 5
} fovea_weights;

/* Which arithmetic the dot products use.
 *
 * bf16 arithmetic multiplies bf16 numbers exactly and adds in f32. Probabilities are rounded to bf16 before they weigh
 * values, but not in the sums that they are divided by, so that the log-sum-exp keeps f32's accuracy. Numbers, products
 * and sums below 2^-126 may count as 0. Only backends with such instructions have it (avx512bf16, amxbf16; isa.h says
 * which processors use it unasked), and use it for more than a few query rows; attention weights, int8 keys and values
 * and single rows are computed in f32. */
typedef enum fovea_arithmetic {
    /* As accurate as the types of the inputs: bf16 arithmetic where queries, keys and values all are bf16 and the
     * backend has it, f32 otherwise. */
    FOVEA_ARITHMETIC_DEFAULT = 0,
    /* f32 and f16 inputs may be rounded to bf16 too. FOVEA_UNSUPPORTED on a backend without bf16 arithmetic. */
    FOVEA_ARITHMETIC_BF16 = 1
} fovea_arithmetic;

/* Optional inputs of a call, for fovea_attention_desc.inputs. Each names the pointer of fovea_attention_args that it
 * announces: an announced pointer must not be NULL (unless its tensor has no element), one that was not announced must
 * be. */
enum {
    FOVEA_INPUT_MASK = 1 << 0,        /* mask */
    FOVEA_INPUT_BIAS = 1 << 1,        /* bias */
    FOVEA_INPUT_KEY_LENGTHS = 1 << 2, /* key_lengths; implied by the paged form */
    FOVEA_INPUT_FIRST_KEYS = 1 << 3,  /* first_keys */
    FOVEA_INPUT_ALIBI = 1 << 4,       /* alibi_slopes */
    FOVEA_INPUT_SINKS = 1 << 5        /* sinks */
};

/* Optional outputs beside `weights`, for fovea_attention_desc.outputs. */
enum {
    FOVEA_OUTPUT_LSE = 1 << 0 /* lse */
};

/* WHAT is computed. Sizes are capacities: a plan made from it may be executed with smaller len_q and len_kv. */
typedef struct fovea_attention_desc {
    /* sizeof(fovea_attention_desc). A larger struct is accepted if the part this version does not know is zero. */
    size_t struct_size;

    /* Sizes, in elements, each >= 0. heads_q is a multiple of heads_kv; query head h reads key/value head
     * h / (heads_q / heads_kv). A size of 0 (but for head_dim and head_dim_v) is legal and gives an empty problem. */
    int64_t batch;
    int64_t heads_q;
    int64_t heads_kv;
    /* Query rows of a batch entry (packed form: the sum over all entries). */
    int64_t len_q;
    /* Keys of a batch entry (packed form: the sum over all entries; paged form: max_pages * page_size). */
    int64_t len_kv;
    /* Elements of a query or key row, of a value or output row; >= 1, any number, not only multiples of 8. */
    int64_t head_dim;
    int64_t head_dim_v;

    /* Element types: q f32, f16 or bf16; kv f32, f16, bf16 or int8; out f32 or q's; bias f32, f16 or bf16. f16 and bf16
     * do not mix. Everything is computed in f32, unless fovea_arithmetic says otherwise; f16 and bf16 results are
     * rounded once, at the end. */
    fovea_type type_q;
    fovea_type type_kv;
    fovea_type type_out;
    fovea_type type_bias;
    /* Type of key_lengths, first_keys, query_offsets, cumulative offsets and the block table. */
    fovea_index_type type_index;

    /* Factor of the dot products: any finite number. Used if has_scale is non-zero, else 1/sqrt(head_dim). */
    float scale;
    int32_t has_scale;
    /* > 0: scores become softcap * tanh(score / softcap). 0: no cap. Negative or not finite: FOVEA_INVALID. */
    float softcap;

    /* The diagonal, and whether keys after it are forbidden (causal non-zero: j <= delta(i)). */
    fovea_diagonal diagonal;
    int32_t causal;
    /* Sliding window, independent of causal: delta(i) - window_left <= j if has_window_left is non-zero, and
     * j <= delta(i) + window_right if has_window_right is. Both >= 0. */
    int64_t window_left;
    int64_t window_right;
    int32_t has_window_left;
    int32_t has_window_right;

    /* How queries, output and log-sum-exp and, independently, keys, values and their scales are stored. */
    fovea_form form_q;
    fovea_form form_kv;
    /* Tokens of a page (paged form; else 0). */
    int64_t page_size;

    /* FOVEA_INPUT_* and FOVEA_OUTPUT_* bits; unknown bits are FOVEA_INVALID. */
    uint32_t inputs;
    uint32_t outputs;
    fovea_weights weights;

    fovea_exp exp;
    fovea_arithmetic arithmetic;
    /* The best backend that may be used; FOVEA_ISA_AUTO for no cap. */
    fovea_isa isa_cap;
    /* Threads to use at most: 0 for the executor's (OpenMP: omp_get_max_threads()); 1 never enters OpenMP. */
    int32_t threads;
    /* Memory for the plan and, where execute gets no workspace, for scratch. NULL: aligned malloc. */
    const fovea_allocator *allocator;
} fovea_attention_desc;

/* WHERE the data is, and how much of the capacity is used this time.
 *
 * Strides are in elements, in the order that the comment gives; they may be negative, and 0 to broadcast an input. An
 * axis of at most one element may carry any stride. The last axis of q, k, v, out and weights is contiguous (stride 1).
 * Output strides are never 0. Outputs must not share an element with an input or with each other; interleaved views are
 * fine (exact test; FOVEA_INVALID also for layouts too irregular to decide in a bounded number of steps).
 * Pointers are aligned to their element type; more is not required. */
typedef struct fovea_attention_args {
    /* sizeof(fovea_attention_args). */
    size_t struct_size;
    /* The lengths of this call, always given: 0 <= len_q <= desc.len_q, 0 <= len_kv <= desc.len_kv. Packed form: the
     * tokens that the tensors hold, at least those of all sequences together. */
    int64_t len_q;
    int64_t len_kv;

    /* Queries (batch, heads_q, len_q, head_dim). May be NULL only if the problem is empty; so may k, v and out. */
    const void *q;
    int64_t q_strides[4];
    /* Keys (batch, heads_kv, len_kv, head_dim). */
    const void *k;
    int64_t k_strides[4];
    /* Values (batch, heads_kv, len_kv, head_dim_v). */
    const void *v;
    int64_t v_strides[4];
    /* Output (batch, heads_q, len_q, head_dim_v). */
    void *out;
    int64_t out_strides[4];

    /* Boolean mask (batch, heads_q, len_q, len_kv), one byte each, non-zero: row i may attend to key j. Any axis may
     * have stride 0. NULL unless announced. */
    const uint8_t *mask;
    int64_t mask_strides[4];
    /* Additive bias (batch, heads_q, len_q, len_kv) of desc.type_bias; -inf forbids like a mask. Any axis may have
     * stride 0. NULL unless announced. */
    const void *bias;
    int64_t bias_strides[4];
    /* (batch) valid keys of each entry, 0 ... its capacity, which is len_kv, or the length of a packed sequence: keys
     * from there on are never read. NULL unless announced. */
    const void *key_lengths;
    /* (batch) first valid key of each entry, 0 ... its capacity (left padding); at or past the length: no key is valid.
     * NULL unless announced. */
    const void *first_keys;
    /* (batch) offsets of the diagonal. Required with FOVEA_DIAGONAL_OFFSETS, else NULL. */
    const void *query_offsets;
    /* (batch, heads_q) slopes >= 0 or any finite number, f32; strides in elements, batch stride usually 0. */
    const float *alibi_slopes;
    int64_t alibi_strides[2];
    /* (heads_q) one logit per head, f32, unscaled and uncapped. */
    const float *sinks;

    /* Packed form: (batch + 1) ascending offsets of the entries' first query row, first key, the last one their end: 0
     * <= cu[0] <= ... <= cu[batch] <= len_q, len_kv. Sequences may be empty; tokens before the first and behind the
     * last one are neither read nor written. Else NULL. */
    const void *cu_seqlens_q;
    const void *cu_seqlens_kv;
    /* Paged form: (batch, max_pages) page numbers in [0, pages), where max_pages is len_kv / page_size and len_kv a
     * multiple of page_size; k and v are (pages, heads_kv, page_size, ...). key_lengths are always given, and only
     * entries of pages that hold keys of their sequence are looked at. Else NULL and 0. */
    const void *block_table;
    int64_t block_table_strides[2];
    int64_t pages;
    /* int8 keys and values: scales (batch, heads_kv, len_kv), f32, of the form of keys and values: packed (total,
     * heads_kv) with strides (not looked at, head, token), paged (pages, heads_kv, page_size). Else NULL. */
    const float *k_scales;
    int64_t k_scale_strides[3];
    const float *v_scales;
    int64_t v_scale_strides[3];

    /* Log-sum-exp of the final masked scores, natural logarithm, f32 (batch, heads_q, len_q); packed as the queries
     * (total, heads_q) with strides (not looked at, head, token). NULL unless announced. */
    float *lse;
    int64_t lse_strides[3];
    /* Attention weights, f32 (batch, heads_q, len_q, len_kv), as desc.weights says; the mean over heads has one head.
     * NULL unless announced. */
    float *weights;
    int64_t weights_strides[4];

    /* Scratch memory of the call, any alignment, or NULL with size 0: taken from the allocator and given back. A
     * caller's workspace of fovea_plan_workspace_size(plan, n) bytes lets n workers run; a smaller one fewer. Two calls
     * at the same time need two workspaces. */
    void *workspace;
    size_t workspace_size;
} fovea_attention_args;

/* An immutable decision how to compute a descriptor on this machine. Any number of threads may use one at once. */
typedef struct fovea_plan fovea_plan;

/* Makes a plan.
 *   desc  not NULL; borrowed, copied.
 *   plan  not NULL; receives the plan, owned by the caller (fovea_plan_destroy), or NULL on failure.
 * FOVEA_INVALID, FOVEA_UNSUPPORTED, FOVEA_OUT_OF_MEMORY. */
FOVEA_API fovea_status fovea_plan_create(const fovea_attention_desc *desc, fovea_plan **plan);

/* Gives a plan back; NULL does nothing. No call may be using it. */
FOVEA_API void fovea_plan_destroy(fovea_plan *plan);

/* Bytes of workspace that let `concurrency` (>= 1) workers execute the plan at its full capacity; 0 if plan is NULL or
 * concurrency < 1; SIZE_MAX if it exceeds that. What a worker adds is bounded: it grows neither with the batch, nor
 * with len_kv, nor with len_q beyond 768 rows. */
FOVEA_API size_t fovea_plan_workspace_size(const fovea_plan *plan, int32_t concurrency);

/* Describes the plan as text: backend, kernels, tiles, splits, and why. Writes at most `size` bytes with a terminating
 * zero to `text` (may be NULL if size is 0) and returns the length of the whole text without it, as snprintf does. */
FOVEA_API size_t fovea_plan_describe(const fovea_plan *plan, char *text, size_t size);

/* Computes. Thread-safe for different outputs and workspaces.
 *   plan      not NULL; borrowed.
 *   args      not NULL; borrowed.
 *   executor  NULL for OpenMP; borrowed.
 * FOVEA_INVALID, FOVEA_OUT_OF_MEMORY (only without a workspace), FOVEA_WORKSPACE_TOO_SMALL. With a workspace it
 * allocates nothing. The arithmetic runs in the calling thread's floating-point environment, on every worker (rounding
 * mode and denormal flags included); accuracy is stated for the default
 * one. Modes are left as they were; status flags (inexact, invalid, ...) may be raised, and a thread that traps on them
 * must not call.
 *
 * fork: a child of a process in which fovea had entered OpenMP computes on one thread. What fovea cannot know is
 * whether the host had: a child of a process with OpenMP regions of its own must set threads = 1 or bring an executor,
 * for GNU's runtime would wait for threads that did not survive. With those OpenMP is never entered. If the system
 * refuses threads to OpenMP's runtime, that runtime ends the process. */
FOVEA_API fovea_status fovea_execute(const fovea_plan *plan, const fovea_attention_args *args,
                                     const fovea_executor *executor);

/* Plans and executes in one call; the plan lives on the stack. Statuses of both. */
FOVEA_API fovea_status fovea_attention(const fovea_attention_desc *desc, const fovea_attention_args *args,
                                       const fovea_executor *executor);

#ifdef __cplusplus
}
#endif
#endif
