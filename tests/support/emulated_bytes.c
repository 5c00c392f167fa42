#include "emulated_bytes.h"

#include "arch/avx512/vec.h"

#include "emulated_dots.h"

#include "arch/avx512vnni/products.h"

#include "arch/avx512vnni/byte_reads.h"

const fv_row_reads emulated_byte_reads = INT8_READS;
