/* Rotary family on NEON. */
#include "arch/neon/vec.h"

#include "arch/neon/elements.h"

#include "arch/neon/doubles.h"

#include "arch/common/rotary_steps.h"

#include "arch/neon/kernels.h"

const fv_rotary_kernels fv_neon_rotary = {
    ROTARY_FAMILY,
};
