/* Reads of int8 on AMX-INT8. */
#include "arch/avx512/vec.h"

#include "arch/amxbf16/matrix.h"
#include "arch/avx512vnni/bytes.h"

#include "arch/amxbf16/byte_products.h"

#include "arch/avx512vnni/byte_reads.h"

#include "arch/amxbf16/kernels.h"

const fv_row_reads fv_amxbf16_int8_reads = INT8_READS;
