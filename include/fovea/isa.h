/* Which instruction sets this processor offers, which backends this build holds, and which one is used.
 *
 * A backend is used when the processor and the operating system offer all that it requires and no cap excludes it;
 * among those, the one of highest rank wins: generic < avx2 < avx512 < avx512vnni < avx512bf16 < amxbf16 on x86-64,
 * generic < neon on AArch64. avx512bf16 takes part only if a cap names it, or on AMD's processors: others multiply f32
 * faster than bf16. Detection runs once for the process, before the first use, thread-safely (x86: CPUID leaves 0, 1
 * and 7 with XGETBV; AArch64: getauxval(AT_HWCAP)).
 *
 * Linux lets a process use AMX only after it asked (arch_prctl with ARCH_REQ_XCOMP_PERM, for all threads and for good).
 * Detection asks if amxbf16 is built in and FOVEA_ISA does not cap below it. From then on Linux wants alternate signal
 * stacks (sigaltstack) of at least getauxval(AT_MINSIGSTKSZ) bytes, 12 KiB or so; where a thread has a smaller one
 * already, it refuses, and amxbf16 is not used.
 *
 * The environment variable FOVEA_ISA (a backend's name) caps the process; it is read once. Empty or "auto": no cap.
 * fovea_attention_desc.isa_cap caps a plan. A cap that this processor cannot run falls to the best backend below it. A
 * name that this build does not hold is an error that lists the names: FOVEA_INVALID from every plan when it comes from
 * the environment. */
#ifndef FOVEA_ISA_H
#define FOVEA_ISA_H

#include <stddef.h>
#include <stdint.h>

#include "export.h"
#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum fovea_isa {
    /* No cap: the best one. */
    FOVEA_ISA_AUTO = 0,
    /* Portable C. */
    FOVEA_ISA_GENERIC = 1,
    /* x86-64 with AVX2, FMA and F16C. */
    FOVEA_ISA_AVX2 = 2,
    /* x86-64 with AVX-512 F, BW, DQ and VL. */
    FOVEA_ISA_AVX512 = 3,
    /* The same with AVX512-VNNI and AVX512-BF16. */
    FOVEA_ISA_AVX512BF16 = 4,
    /* AArch64 Advanced SIMD (ARMv8.0-A). */
    FOVEA_ISA_NEON = 5,
    /* AVX512-BF16 with AMX-TILE, AMX-BF16 and AMX-INT8. Ranks above it. */
    FOVEA_ISA_AMXBF16 = 6,
    /* AVX-512 with AVX512-VNNI. Ranks above it, and below AVX512-BF16. */
    FOVEA_ISA_AVX512VNNI = 7
} fovea_isa;

/* What is known about one instruction set in this process. */
typedef struct fovea_isa_info {
    /* In: sizeof(fovea_isa_info), set by the caller. */
    size_t struct_size;
    /* "avx2". Static. */
    const char *name;
    /* 1 if this build holds a backend for it. */
    int32_t compiled;
    /* 1 if the processor and the operating system offer what it requires (0 for another architecture's). */
    int32_t detected;
    /* 1 if a plan without isa_cap uses it. */
    int32_t chosen;
    /* One line that says why it was chosen or not: "chosen", "CPU lacks avx512bw", "FOVEA_ISA caps at avx2",
     * "slower than avx512vnni on this processor: only if named", "not built in", "another architecture's". Static;
     * never NULL. */
    const char *reason;
} fovea_isa_info;

/* Number of instruction sets that fovea knows: values 1 ... fovea_isa_count() of fovea_isa are legal. */
FOVEA_API int32_t fovea_isa_count(void);

/* Fills *info (not NULL, struct_size set) for `isa`. FOVEA_INVALID for an unknown `isa` (FOVEA_ISA_AUTO included) or a
 * wrong struct_size. */
FOVEA_API fovea_status fovea_isa_query(fovea_isa isa, fovea_isa_info *info);

/* The backend of a plan without isa_cap, to *isa (not NULL). FOVEA_INVALID if FOVEA_ISA names none of this build. */
FOVEA_API fovea_status fovea_isa_chosen(fovea_isa *isa);

/* The value for a name such as "avx2" (lower case, as fovea_isa_info.name; "auto" gives FOVEA_ISA_AUTO), to *isa.
 * Neither may be NULL. FOVEA_INVALID, with a reason that lists the names, for any other text. */
FOVEA_API fovea_status fovea_isa_parse(const char *name, fovea_isa *isa);

/* The processor's own name ("AMD EPYC 9R14"), or "unknown". Static; never NULL. */
FOVEA_API const char *fovea_cpu_name(void);

#ifdef __cplusplus
}
#endif
#endif
