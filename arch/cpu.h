/* Processor features that backends may require, and how they are found. Compiled with baseline flags. */
#ifndef FOVEA_ARCH_CPU_H
#define FOVEA_ARCH_CPU_H

#include <stdint.h>

/* X(bit, name). A bit is set only if the processor has the instructions AND the operating system saves their registers.
 * fastbf16: AVX512-BF16 multiplies bf16 numbers faster than FMAs do those of f32. */
#define FV_CPU_FEATURES(X) \
    X(0, avx2)             \
    X(1, fma)              \
    X(2, f16c)             \
    X(3, avx512f)          \
    X(4, avx512bw)         \
    X(5, avx512dq)         \
    X(6, avx512vl)         \
    X(7, avx512bf16)       \
    X(8, avx512vnni)       \
    X(9, fastbf16)         \
    X(10, amxtile)         \
    X(11, amxbf16)         \
    X(12, amxint8)         \
    X(16, asimd)

enum {
#define FV_CPU_BIT(bit, name) FV_CPU_##name = 1 << (bit),
    FV_CPU_FEATURES(FV_CPU_BIT)
#undef FV_CPU_BIT
};

/* What every backend with AVX-512 requires. */
#define FV_CPU_AVX512 \
    (FV_CPU_avx2 | FV_CPU_fma | FV_CPU_f16c | FV_CPU_avx512f | FV_CPU_avx512bw | FV_CPU_avx512dq | FV_CPU_avx512vl)

/* All of AMX that a backend requires. */
#define FV_CPU_AMX (FV_CPU_amxtile | FV_CPU_amxbf16 | FV_CPU_amxint8)

/* Those that a process may use only after it asked the operating system. */
#define FV_CPU_ON_REQUEST ((uint32_t)FV_CPU_AMX)

/* Asks for some of them, for the whole process and for good; returns those that are refused. */
uint32_t fv_cpu_request(uint32_t features);

/* The features of this processor as FV_CPU_* bits. Asks the hardware each time; pure otherwise. */
uint32_t fv_cpu_detect(void);

/* The same without looking at the operating system: it tells a missing instruction from registers that are not saved.
 */
uint32_t fv_cpu_present(void);

/* Writes the processor's name, zero-terminated, "unknown" if there is none. size >= 1. */
void fv_cpu_name(char *text, int32_t size);

#endif
