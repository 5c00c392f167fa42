/* Conversion family on AVX-512. */
#include "arch/avx512/vec.h"

#include "arch/avx512/elements.h"

#include "arch/common/convert_steps.h"

#include "arch/avx512/kernels.h"

const fv_convert_kernels fv_avx512_convert = {
    CONVERT_FAMILY,
};
