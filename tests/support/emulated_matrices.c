/* The pair family over matrix registers, emulated. */
#define V_LANES 16
#include "emulated_vec.h"

#include "emulated_matrix.h"

#define MATRIX_VECTORS 3
#include "arch/common/matrix_family.inc"

#include "emulated_pairs.h"

const fv_pair_kernels emulated_matrices = {
    MATRIX_FAMILY,
    .key_block = 96,
    .key_block_short = 64,
};
