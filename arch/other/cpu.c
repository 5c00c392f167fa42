/* An architecture without backends of its own: no features, the portable one runs. */
#include "arch/cpu.h"

#include <stdio.h>

uint32_t fv_cpu_detect(void) {
    return 0;
}

uint32_t fv_cpu_request(uint32_t features) {
    return features;
}

uint32_t fv_cpu_present(void) {
    return 0;
}

void fv_cpu_name(char *text, int32_t size) {
    snprintf(text, (size_t)size, "unknown");
}
