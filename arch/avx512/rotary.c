/* Rotary family on AVX-512. */
#include "arch/avx512/vec.h"

#include "arch/avx512/elements.h"

#include "arch/avx512/doubles.h"

#include "arch/common/rotary_steps.h"

#include "arch/avx512/kernels.h"

const fv_rotary_kernels fv_avx512_rotary = {
    ROTARY_FAMILY,
};
