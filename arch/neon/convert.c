/* Conversion family on NEON. */
#include "arch/neon/vec.h"

#include "arch/neon/elements.h"

#include "arch/common/convert_steps.h"

#include "arch/neon/kernels.h"

const fv_convert_kernels fv_neon_convert = {
    CONVERT_FAMILY,
};
