/* Reads of int8 on AVX512-VNNI. */
#include "arch/avx512/vec.h"

#include "arch/avx512vnni/bytes.h"
#include "arch/avx512vnni/products.h"

#include "arch/avx512vnni/byte_reads.h"

#include "arch/avx512vnni/kernels.h"

const fv_row_reads fv_avx512vnni_int8_reads = INT8_READS;
