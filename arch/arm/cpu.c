/* AArch64: the kernel's capability word, and the main identification register for the name. */
#include "arch/cpu.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/auxv.h>

#include "arch/arm/features.h"

uint32_t fv_cpu_detect(void) {
    return fv_arm_features(getauxval(AT_HWCAP));
}

/* Nothing is on request. */
uint32_t fv_cpu_request(uint32_t features) {
    return features;
}

/* The kernel reports only what it also saves. */
uint32_t fv_cpu_present(void) {
    return fv_cpu_detect();
}

void fv_cpu_name(char *text, int32_t size) {
    FILE *file = fopen("/sys/devices/system/cpu/cpu0/regs/identification/midr_el1", "re");
    uint64_t midr = 0;
    if (file != NULL && fscanf(file, "%" SCNx64, &midr) == 1)
        fv_arm_name(midr, text, size);
    else
        snprintf(text, (size_t)size, "unknown");
    if (file != NULL)
        fclose(file);
}
