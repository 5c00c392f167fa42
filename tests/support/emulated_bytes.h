/* Reads of int8 as AVX512-VNNI does them (arch/avx512vnni/byte_reads.h) over an emulated instruction, for processors
 * and emulators that have AVX-512 alone. HAVE_EMULATED_BYTES is defined where the build has them. */
#ifndef FOVEA_TESTS_EMULATED_BYTES_H
#define FOVEA_TESTS_EMULATED_BYTES_H

#include "arch/kernel.h"

extern const fv_row_reads emulated_byte_reads;

#endif
