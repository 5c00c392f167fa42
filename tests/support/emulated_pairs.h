/* Pair families over an emulated instruction (emulated_vec.h), one for each shape that a panel has on some backend.
 * Their blocks are short, so that small problems have several. */
#ifndef FOVEA_TESTS_EMULATED_PAIRS_H
#define FOVEA_TESTS_EMULATED_PAIRS_H

#include "arch/kernel.h"

extern const fv_pair_kernels emulated_pairs_4;
extern const fv_pair_kernels emulated_pairs_8;
extern const fv_pair_kernels emulated_pairs_16;
/* Over matrix registers. */
extern const fv_pair_kernels emulated_matrices;

/* All of them. */
static const fv_pair_kernels *const emulated[] = {&emulated_pairs_4, &emulated_pairs_8, &emulated_pairs_16,
                                                  &emulated_matrices};
enum { EMULATED = sizeof emulated / sizeof *emulated };

#endif
