/* From CPUID and XGETBV values to FV_CPU_* bits: pure, so that tests can play processors and operating systems. */
#ifndef FOVEA_ARCH_X86_FEATURES_H
#define FOVEA_ARCH_X86_FEATURES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "arch/cpu.h"

/* Raw register values. A leaf or subleaf beyond the largest one may hold anything: Intel's processors answer with the
 * data of another leaf there. */
typedef struct fv_x86_registers {
    /* CPUID 0: EAX, the largest leaf; EBX, EDX and ECX, the vendor's name. */
    uint32_t max_leaf;
    uint32_t vendor[3];
    /* CPUID 1. */
    uint32_t leaf1_ecx;
    /* CPUID 7, subleaf 0; EAX is the largest subleaf. */
    uint32_t leaf7_eax;
    uint32_t leaf7_ebx;
    uint32_t leaf7_ecx;
    uint32_t leaf7_edx;
    /* CPUID 7, subleaf 1. */
    uint32_t leaf7_1_eax;
    /* XGETBV 0; looked at only if leaf 1 shows OSXSAVE. */
    uint64_t xcr0;
} fv_x86_registers;

enum {
    FV_X86_LEAF1_ECX_OSXSAVE = 1 << 27,
    FV_X86_LEAF1_ECX_AVX = 1 << 28,
    /* XMM and YMM state. */
    FV_X86_XCR0_AVX = 0x6,
    /* The same with the mask registers, the upper halves of ZMM0-15, and ZMM16-31. */
    FV_X86_XCR0_AVX512 = 0xe6,
    /* Shapes and data of AMX's tiles. */
    FV_X86_XCR0_AMX = 0x60000
};

/* VDPBF16PS, 32 products, is issued as often as an FMA of 16 by AMD's processors (Zen 4 and later), but every other
 * cycle by Intel's, which issue two FMAs a cycle: there it is the slower way. */
static inline int fv_x86_is_amd(const fv_x86_registers *r) {
    static const char name[] = "AuthenticAMD";
    return memcmp(r->vendor, name, sizeof r->vendor) == 0;
}

/* The features whose instructions the processor has, whether or not the operating system saves their registers. */
static inline uint32_t fv_x86_present(const fv_x86_registers *r) {
    const uint32_t leaf1_ecx = r->max_leaf >= 1 ? r->leaf1_ecx : 0;
    const int has_leaf7 = r->max_leaf >= 7;
    const uint32_t leaf7_ebx = has_leaf7 ? r->leaf7_ebx : 0;
    const uint32_t leaf7_ecx = has_leaf7 ? r->leaf7_ecx : 0;
    const uint32_t leaf7_edx = has_leaf7 ? r->leaf7_edx : 0;
    const uint32_t leaf7_1_eax = has_leaf7 && r->leaf7_eax >= 1 ? r->leaf7_1_eax : 0;
    const struct {
        uint32_t value;
        uint32_t bit;
        uint32_t feature;
    } flags[] = {
        {leaf7_ebx, 5, FV_CPU_avx2},      {leaf1_ecx, 12, FV_CPU_fma},         {leaf1_ecx, 29, FV_CPU_f16c},
        {leaf7_ebx, 16, FV_CPU_avx512f},  {leaf7_ebx, 30, FV_CPU_avx512bw},    {leaf7_ebx, 17, FV_CPU_avx512dq},
        {leaf7_ebx, 31, FV_CPU_avx512vl}, {leaf7_1_eax, 5, FV_CPU_avx512bf16}, {leaf7_ecx, 11, FV_CPU_avx512vnni},
        {leaf7_edx, 24, FV_CPU_amxtile},  {leaf7_edx, 22, FV_CPU_amxbf16},     {leaf7_edx, 25, FV_CPU_amxint8},
    };
    uint32_t features = 0;
    /* Everything here builds on AVX's encoding and registers; a hypervisor may hide AVX and forget the rest. */
    if ((leaf1_ecx & FV_X86_LEAF1_ECX_AVX) == 0)
        return 0;
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
        if (flags[i].value >> flags[i].bit & 1)
            features |= flags[i].feature;
    if ((features & FV_CPU_avx512bf16) && fv_x86_is_amd(r))
        features |= FV_CPU_fastbf16;
    return features;
}

/* Those among them whose registers the operating system saves. */
static inline uint32_t fv_x86_usable(const fv_x86_registers *r) {
    const uint32_t avx = FV_CPU_avx2 | FV_CPU_fma | FV_CPU_f16c;
    const uint32_t avx512 = (FV_CPU_AVX512 & ~avx) | FV_CPU_avx512bf16 | FV_CPU_avx512vnni | FV_CPU_fastbf16;
    uint32_t saved = 0;
    if (r->max_leaf < 1 || (r->leaf1_ecx & FV_X86_LEAF1_ECX_OSXSAVE) == 0)
        return 0;
    if ((r->xcr0 & FV_X86_XCR0_AVX) == FV_X86_XCR0_AVX)
        saved |= avx;
    if ((r->xcr0 & FV_X86_XCR0_AVX512) == FV_X86_XCR0_AVX512)
        saved |= avx512;
    if ((r->xcr0 & FV_X86_XCR0_AMX) == FV_X86_XCR0_AMX)
        saved |= FV_CPU_AMX;
    return fv_x86_present(r) & saved;
}

#endif
