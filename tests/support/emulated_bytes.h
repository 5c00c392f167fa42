/* Reads of int8 as AVX512-VNNI and AMX-INT8 do them (arch/avx512vnni/byte_reads.h) over emulated instructions, for
 * processors and emulators that have AVX-512 alone. HAVE_EMULATED_BYTES is defined where the build has them. */
#ifndef FOVEA_TESTS_EMULATED_BYTES_H
#define FOVEA_TESTS_EMULATED_BYTES_H

#include "arch/kernel.h"

extern const fv_row_reads emulated_byte_reads;
extern const fv_row_reads emulated_byte_matrix_reads;

#endif
