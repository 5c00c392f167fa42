/* Conversion family on AVX2. */
#include "arch/avx2/vec.h"

#include "arch/avx2/elements.h"

#include "arch/common/convert_steps.h"

#include "arch/avx2/kernels.h"

const fv_convert_kernels fv_avx2_convert = {
    CONVERT_FAMILY,
};
