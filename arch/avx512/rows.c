/* Row family on AVX-512. */
#include "arch/avx512/vec.h"

#include "arch/avx512/elements.h"

#define ROW_READS_F32_ELSEWHERE
#include "arch/avx512/row_shapes.h"
#include "arch/common/exp2.h"
#include "arch/common/row_steps.h"

#include "arch/avx512/kernels.h"

const fv_row_kernels fv_avx512_row = {ROW_FAMILY};
const fv_row_reads fv_avx512_f16_reads = ROW_READS(f16, 2);
const fv_row_reads fv_avx512_bf16_reads = ROW_READS(bf16, 2);
const fv_row_reads fv_avx512_int8_reads = INT8_READS;
