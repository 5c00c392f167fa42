#include "src/sequence.h"

#include "src/index.h"
#include "src/integer.h"

fv_band fv_band_of(const fovea_attention_desc *desc) {
    fv_band band = {.before = -FV_FAR, .after = FV_FAR};
    if (desc->has_window_left)
        band.before = -fv_clamp64(desc->window_left, 0, FV_FAR / 2);
    if (desc->has_window_right)
        band.after = fv_clamp64(desc->window_right, 0, FV_FAR / 2);
    if (desc->causal)
        band.after = 0;
    return band;
}

fv_sequence fv_sequence_at(const fovea_attention_desc *desc, const fovea_attention_args *args, int64_t b) {
    fv_sequence sequence = {.len_q = args->len_q, .end_key = args->len_kv, .batch_q = b, .batch_kv = b};
    if (desc->form_q == FOVEA_FORM_PACKED) {
        sequence.batch_q = 0;
        sequence.row_q = fv_index_at(args->cu_seqlens_q, desc->type_index, b);
        sequence.len_q = fv_index_at(args->cu_seqlens_q, desc->type_index, b + 1) - sequence.row_q;
    }
    if (desc->form_kv == FOVEA_FORM_PACKED) {
        sequence.batch_kv = 0;
        sequence.row_kv = fv_index_at(args->cu_seqlens_kv, desc->type_index, b);
        sequence.end_key = fv_index_at(args->cu_seqlens_kv, desc->type_index, b + 1) - sequence.row_kv;
    }
    if (desc->form_kv == FOVEA_FORM_PAGED)
        sequence.batch_kv = 0;
    if (args->key_lengths)
        sequence.end_key = fv_index_at(args->key_lengths, desc->type_index, b);
    if (args->first_keys)
        sequence.first_key = fv_index_at(args->first_keys, desc->type_index, b);
    if (desc->diagonal == FOVEA_DIAGONAL_BOTTOM_RIGHT)
        sequence.offset = sequence.end_key - sequence.len_q;
    else if (desc->diagonal == FOVEA_DIAGONAL_OFFSETS)
        sequence.offset = fv_clamp64(fv_index_at(args->query_offsets, desc->type_index, b), -FV_FAR / 2, FV_FAR / 2);
    return sequence;
}

fv_key_range fv_visible_keys(const fv_sequence *sequence, fv_band band, int64_t row_begin, int64_t row_end) {
    fv_key_range range;
    range.begin = fv_clamp64(row_begin + sequence->offset + band.before, sequence->first_key, sequence->end_key);
    range.end = fv_clamp64(row_end - 1 + sequence->offset + band.after + 1, 0, sequence->end_key);
    /* A first key past the length leaves begin above end_key's clamp. */
    if (range.begin > sequence->end_key)
        range.begin = sequence->end_key;
    if (range.end < range.begin)
        range.end = range.begin;
    return range;
}
