/* Rotary family on AVX2. */
#include "arch/avx2/vec.h"

#include "arch/avx2/elements.h"

#include "arch/avx2/doubles.h"

#include "arch/common/rotary_steps.h"

#include "arch/avx2/kernels.h"

const fv_rotary_kernels fv_avx2_rotary = {
    ROTARY_FAMILY,
};
