/* From the kernel's capability word to FV_CPU_* bits, and from MIDR_EL1 to a name: pure, so that tests can play
 * processors, also on another architecture. */
#ifndef FOVEA_ARCH_ARM_FEATURES_H
#define FOVEA_ARCH_ARM_FEATURES_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "arch/cpu.h"

/* AT_HWCAP's bit for Advanced SIMD, as <asm/hwcap.h> has it on AArch64 only. */
enum { FV_ARM_HWCAP_ASIMD = 1 << 1 };

static inline uint32_t fv_arm_features(unsigned long hwcap) {
    return (hwcap & FV_ARM_HWCAP_ASIMD) != 0 ? (uint32_t)FV_CPU_asimd : 0;
}

/* Names the core by its implementer and part number; a core that is not in the list is named by the numbers. */
static inline void fv_arm_name(uint64_t midr, char *text, int32_t size) {
    const unsigned implementer = (unsigned)(midr >> 24 & 0xff);
    const unsigned part = (unsigned)(midr >> 4 & 0xfff);
    static const struct {
        unsigned implementer;
        unsigned part;
        const char *name;
    } cores[] = {
        {0x41, 0xd03, "Arm Cortex-A53"},  {0x41, 0xd05, "Arm Cortex-A55"},  {0x41, 0xd08, "Arm Cortex-A72"},
        {0x41, 0xd0b, "Arm Cortex-A76"},  {0x41, 0xd0c, "Arm Neoverse N1"}, {0x41, 0xd40, "Arm Neoverse V1"},
        {0x41, 0xd49, "Arm Neoverse N2"}, {0x41, 0xd4f, "Arm Neoverse V2"}, {0xc0, 0xac3, "Ampere-1"},
    };
    for (size_t i = 0; i < sizeof cores / sizeof cores[0]; i++) {
        if (cores[i].implementer == implementer && cores[i].part == part) {
            snprintf(text, (size_t)size, "%s", cores[i].name);
            return;
        }
    }
    snprintf(text, (size_t)size, "AArch64 implementer 0x%02x part 0x%03x", implementer, part);
}

#endif
