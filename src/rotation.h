/* The angles of a rotary embedding, for one token after the other. */
#ifndef FOVEA_SRC_ROTATION_H
#define FOVEA_SRC_ROTATION_H

#include "arch/kernel.h"
#include "fovea/rope.h"
#include "src/tokens.h"

/* Pairs whose angles are held at once. */
#define FV_HELD_PAIRS 256

typedef struct fv_rotor {
    const fovea_rotation *rotation;
    const fv_backend *backend;
    /* Pairs of a row. */
    int64_t pairs;
    /* The token. */
    int64_t batch;
    int64_t position;
    /* The pairs whose angles, and those whose frequencies are held: from `first` on, 0 of them at the beginning. */
    int64_t first;
    int64_t held;
    int64_t first_frequency;
    int64_t frequencies_held;
    double frequencies[FV_HELD_PAIRS];
    float cosines[FV_HELD_PAIRS];
    float sines[FV_HELD_PAIRS];
} fv_rotor;

/* Elements of a row that are turned. */
static inline int64_t fv_rotary_dim(const fovea_rotation *rotation, int64_t head_dim) {
    return rotation->rotary_dim > 0 ? rotation->rotary_dim : head_dim;
}

/* The position of a token, which is `own` if the rotation names none. */
int64_t fv_token_position(const fovea_rotation *rotation, fovea_form form, const fv_token *token, int64_t own);

void fv_rotor_begin(fv_rotor *rotor, const fovea_rotation *rotation, const fv_backend *backend, int64_t head_dim);

/* Goes to a token. */
void fv_rotor_move(fv_rotor *rotor, int64_t batch, int64_t position);

/* Makes sure that the token's angles of pairs [first, first + count) are held, from cosines[0] and sines[0] on. */
void fv_rotor_hold(fv_rotor *rotor, int64_t first, int64_t count);

#endif
