#include "src/rotation.h"

#include <math.h>

#include "src/elements.h"
#include "src/index.h"

static const double default_base = 10000.0;

int64_t fv_token_position(const fovea_rotation *rotation, fovea_form form, const fv_token *token, int64_t own) {
    if (rotation->positions == NULL)
        return own;
    int64_t outer = form == FOVEA_FORM_DENSE ? token->outer * rotation->position_strides[0] : 0;
    return fv_index_at(rotation->positions, rotation->type_positions,
                       outer + token->row * rotation->position_strides[1]);
}

/* Not initialised as a whole: this runs for every call on a token. */
void fv_rotor_begin(fv_rotor *rotor, const fovea_rotation *rotation, const fv_backend *backend, int64_t head_dim) {
    rotor->rotation = rotation;
    rotor->backend = backend;
    rotor->pairs = fv_rotary_dim(rotation, head_dim) / 2;
    rotor->held = 0;
    rotor->frequencies_held = 0;
}

void fv_rotor_move(fv_rotor *rotor, int64_t batch, int64_t position) {
    rotor->batch = batch;
    rotor->position = position;
    rotor->held = 0;
}

/* 0 stands for 1. */
static double factor(double value) {
    return value != 0.0 ? value : 1.0;
}

static const double *frequencies_of(fv_rotor *rotor, int64_t first, int64_t count) {
    const fovea_rotation *rotation = rotor->rotation;
    if (rotation->inverse_frequencies)
        return rotation->inverse_frequencies + first;
    if (rotor->first_frequency != first || rotor->frequencies_held != count) {
        double base = rotation->base != 0.0 ? rotation->base : default_base;
        rotor->backend->rotary->frequencies(-log2(base) / (double)rotor->pairs, first, count, rotor->frequencies);
        rotor->first_frequency = first;
        rotor->frequencies_held = count;
    }
    return rotor->frequencies;
}

static void compute(fv_rotor *rotor, int64_t first, int64_t count) {
    const fovea_rotation *rotation = rotor->rotation;
    double position = (double)rotor->position * factor(rotation->position_scale);
    rotor->backend->rotary->angles(position, frequencies_of(rotor, first, count), count, factor(rotation->amplitude),
                                   rotor->cosines, rotor->sines);
}

static void look_up(fv_rotor *rotor, int64_t first, int64_t count) {
    const fovea_rotation *rotation = rotor->rotation;
    const fv_convert_kernels *convert = rotor->backend->convert;
    fovea_type type = rotation->type_table;
    int64_t at = rotor->batch * rotation->table_strides[0] + rotor->position * rotation->table_strides[1] + first;
    fv_widen(convert, type, fv_element(rotation->cosines, type, at), 1.0f, count, rotor->cosines);
    fv_widen(convert, type, fv_element(rotation->sines, type, at), 1.0f, count, rotor->sines);
}

void fv_rotor_hold(fv_rotor *rotor, int64_t first, int64_t count) {
    if (rotor->held == count && rotor->first == first)
        return;
    if (rotor->rotation->cosines)
        look_up(rotor, first, count);
    else
        compute(rotor, first, count);
    rotor->first = first;
    rotor->held = count;
}
