/* The cache of keys and values of a decoding loop: appending new tokens.
 *
 *   for every batch entry b, new token i of it, key/value head h:
 *     p = first_positions[b] + i                 its place among the keys of sequence b
 *     k[b,h,p] = convert(turn(k_new[b,h,i]))     turned by a rotary embedding if one is given
 *     v[b,h,p] = convert(v_new[b,h,i])
 *
 * The cache is what fovea_attention reads: its fields have the names, types and layouts that they have in
 * fovea_attention_args, so that a decoding loop fills both structs from the same variables. It may be dense, packed or
 * paged; the new tokens are dense or packed, independently.
 *
 * Conversion. Elements are widened exactly and rounded once, to nearest, ties to even: beyond the largest number of the
 * type to infinity; a NaN stays a NaN. Elements that keep their type are copied as bits. int8 is symmetric
 * quantisation with one scale a row, that is per token and head:
 *
 *     scale = max |x| / 127        element = round(x / scale), within -127 ... 127        x ~ scale * element
 *
 * so that the error is at most scale / 2 but for one rounding. A row of zeros (or so small that the scale underflows to
 * 0) has scale 0 and elements 0. A row with a NaN or an infinity, which int8 cannot say, has scale NaN and elements 0:
 * it reads as NaN throughout, and is seen.
 *
 * Every row depends on its own elements alone: results are bitwise the same for any number of threads, any executor and
 * any batch around a sequence, on one backend. */
#ifndef FOVEA_CACHE_H
#define FOVEA_CACHE_H

#include <stddef.h>
#include <stdint.h>

#include "attention.h"
#include "export.h"
#include "isa.h"
#include "rope.h"
#include "status.h"
#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct fovea_kv_append_args {
    /* sizeof(fovea_kv_append_args). A larger struct is accepted if the part this version does not know is zero. */
    size_t struct_size;

    /* Sizes, in elements, each >= 0. */
    int64_t batch;
    int64_t heads_kv;
    /* New tokens: of each entry at most (dense form), of all entries together (packed form). */
    int64_t len_new;
    /* What the cache has room for: keys of an entry (dense form), of all entries together (packed form), max_pages *
     * page_size (paged form, where it is a multiple of page_size). */
    int64_t len_kv;
    /* Elements of a row of keys, of values. 0: there are none to append, and their pointers are not looked at. */
    int64_t head_dim;
    int64_t head_dim_v;

    /* Types: of new tokens f32, f16 or bf16; of the cache f32, f16, bf16 or int8, independently. */
    fovea_type type_new;
    fovea_type type_kv;
    /* Type of lengths, positions, cumulative offsets and the block table. */
    fovea_index_type type_index;

    /* Dense or packed. */
    fovea_form form_new;
    /* Dense, packed or paged. */
    fovea_form form_kv;
    /* Tokens of a page (paged form, >= 1; else 0). */
    int64_t page_size;

    /* New keys (batch, heads_kv, len_new, head_dim) and values (batch, heads_kv, len_new, head_dim_v), borrowed; packed
     * form: (total, heads_kv, ...). Strides are in elements and may be negative or, but for the last, which is 1, 0;
     * packed form: the first one is not looked at. NULL only if there is nothing to append. */
    const void *k_new;
    int64_t k_new_strides[4];
    const void *v_new;
    int64_t v_new_strides[4];
    /* Dense form: (batch) new tokens of each entry, 0 ... len_new; those behind are neither read nor appended. NULL:
     * len_new for all. Packed form: NULL. */
    const void *lengths_new;
    /* Packed form: (batch + 1) ascending offsets of the entries' first new token, 0 ... len_new. Else NULL. */
    const void *cu_seqlens_new;
    /* (batch) where in its sequence an entry's first new token goes, that is how many keys the sequence has so far: >=
     * 0, and all new tokens within the capacity. NULL: 0 for all. */
    const void *first_positions;

    /* The cache. Keys (batch, heads_kv, len_kv, head_dim) and values, of type_kv, the caller's, written where new
     * tokens go and nowhere else; strides (batch, head, token, element), the last 1, none 0. Packed form: (total,
     * heads_kv, ...), the first stride is not looked at. Paged form: strides (page, head, token, element). */
    void *k;
    int64_t k_strides[4];
    void *v;
    int64_t v_strides[4];
    /* int8: scales of the rows (batch, heads_kv, len_kv), f32, strided as k and v are without their last axis: (page,
     * head, token) in the paged form. Written as k and v are. Else NULL. */
    float *k_scales;
    int64_t k_scale_strides[3];
    float *v_scales;
    int64_t v_scale_strides[3];
    /* Packed form: (batch + 1) ascending offsets of each sequence's first key, 0 ... len_kv; from one to the next is
     * the sequence's capacity. Else NULL. */
    const void *cu_seqlens_kv;
    /* Paged form: (batch, max_pages) page numbers, strides in elements; only entries of pages that receive a token are
     * looked at. They are in [0, pages), and no two of them are equal: a page is shared for reading only. Else NULL and
     * 0. */
    const void *block_table;
    int64_t block_table_strides[2];
    int64_t pages;

    /* The best backend that may be used; FOVEA_ISA_AUTO for no cap. */
    fovea_isa isa_cap;
    /* Threads at most: 0 for the executor's; 1 never enters OpenMP. */
    int32_t threads;

    /* Rotary embedding of the new keys, before they are converted: they are turned in f32 and rounded once. Its own
     * positions are those in the sequence. NULL: none; borrowed. */
    const fovea_rotation *rotation;
} fovea_kv_append_args;

/* Appends. Thread-safe for different caches, and for different sequences of one cache.
 *   args      not NULL; borrowed.
 *   executor  NULL for OpenMP; borrowed.
 * FOVEA_INVALID (also: the cache, all of it, shares an element with something that is read; two new tokens for one
 * place), FOVEA_UNSUPPORTED (isa_cap names a backend that is not built in). Nothing is written unless the result is
 * FOVEA_OK. Allocates nothing. Floating-point environment and fork: as fovea_execute. */
FOVEA_API fovea_status fovea_kv_append(const fovea_kv_append_args *args, const fovea_executor *executor);

#ifdef __cplusplus
}
#endif
#endif
