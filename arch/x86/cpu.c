/* x86-64: CPUID leaves 0, 1 and 7, and XGETBV and, for AMX, Linux itself for what the operating system saves. */
#include "arch/cpu.h"

#include <cpuid.h>
#include <string.h>

#ifdef __linux__
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include "arch/x86/features.h"

/* By assembly, since the intrinsic wants -mxsave and this file is compiled with baseline flags. */
static uint64_t read_xcr0(void) {
    uint32_t low = 0;
    uint32_t high = 0;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t)high << 32 | low;
}

static fv_x86_registers read_registers(void) {
    fv_x86_registers r = {0};
    uint32_t eax = 0;
    uint32_t ebx = 0;
    uint32_t ecx = 0;
    uint32_t edx = 0;
    if (__get_cpuid(0, &eax, &ebx, &ecx, &edx)) {
        r.max_leaf = eax;
        r.vendor[0] = ebx;
        r.vendor[1] = edx;
        r.vendor[2] = ecx;
    }
    if (__get_cpuid(1, &eax, &ebx, &ecx, &edx))
        r.leaf1_ecx = ecx;
    if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx)) {
        r.leaf7_eax = eax;
        r.leaf7_ebx = ebx;
        r.leaf7_ecx = ecx;
        r.leaf7_edx = edx;
    }
    if (__get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx))
        r.leaf7_1_eax = eax;
    /* Without OSXSAVE the instruction itself faults. */
    if (r.leaf1_ecx & FV_X86_LEAF1_ECX_OSXSAVE)
        r.xcr0 = read_xcr0();
    return r;
}

/* Linux saves the data of tiles, 8 KiB a thread, only for processes that asked for it
 * (Documentation/arch/x86/xstate.rst). It refuses where a thread has an alternate signal stack too small for them. */
uint32_t fv_cpu_request(uint32_t features) {
#ifdef __linux__
    const long request_permission = 0x1023, tile_data = 18;
    return syscall(SYS_arch_prctl, request_permission, tile_data) == 0 ? 0 : features;
#else
    return features;
#endif
}

uint32_t fv_cpu_detect(void) {
    const fv_x86_registers r = read_registers();
    return fv_x86_usable(&r);
}

uint32_t fv_cpu_present(void) {
    const fv_x86_registers r = read_registers();
    return fv_x86_present(&r);
}

void fv_cpu_name(char *text, int32_t size) {
    enum { LEAVES = 3 };
    const uint32_t first_leaf = 0x80000002;
    uint32_t registers[LEAVES][4];
    char brand[sizeof registers + 1] = "";
    const char *name = brand;
    size_t length = 0;
    for (uint32_t i = 0; i < LEAVES; i++) {
        uint32_t *r = registers[i];
        if (!__get_cpuid(first_leaf + i, &r[0], &r[1], &r[2], &r[3]))
            memset(r, 0, sizeof registers[i]);
    }
    memcpy(brand, registers, sizeof registers);
    /* Padded with blanks on either side, depending on the vendor. */
    while (*name == ' ')
        name++;
    length = strlen(name);
    while (length > 0 && name[length - 1] == ' ')
        length--;
    if (length == 0) {
        name = "unknown";
        length = strlen(name);
    }
    if (length >= (size_t)size)
        length = (size_t)size - 1;
    memcpy(text, name, length);
    text[length] = '\0';
}
