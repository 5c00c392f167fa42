/* Conversion family on NEON. */
#include "arch/neon/vec.h"

#include "arch/neon/elements.h"

#include "arch/common/convert_steps.h"

#include "arch/neon/kernels.h"

const fv_convert_kernels fv_neon_convert = {
    .widen_f16 = widen_f16,
    .widen_bf16 = widen_bf16,
    .widen_int8 = widen_int8,
    .narrow_f16 = narrow_f16,
    .narrow_bf16 = narrow_bf16,
    .quantise_int8 = quantise_int8,
};
