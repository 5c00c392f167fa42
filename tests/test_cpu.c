/* What is read from CPUID, XGETBV and the auxiliary vector, with made-up registers. */
#include <check.h>
#include <string.h>

#include "arch/arm/features.h"
#include "arch/cpu.h"
#include "arch/x86/features.h"
#include "support/cpu_features.h"

/* ---- CPUID and XGETBV ---- */

/* A processor with everything, under an operating system that saves everything. */
static const fv_x86_registers full = {
    .max_leaf = 0x20,
    .vendor = {0x68747541, 0x69746e65, 0x444d4163}, /* AuthenticAMD */
    .leaf1_ecx = 1u << 12 | 1u << 27 | 1u << 28 | 1u << 29,
    .leaf7_eax = 1,
    .leaf7_ebx = 1u << 5 | 1u << 16 | 1u << 17 | 1u << 30 | 1u << 31,
    .leaf7_ecx = 1u << 11,
    .leaf7_edx = 1u << 22 | 1u << 24 | 1u << 25,
    .leaf7_1_eax = 1u << 5,
    .xcr0 = 0x600e7,
};

START_TEST(x86_everything) {
    ck_assert_uint_eq(fv_x86_present(&full), X86_FEATURES);
    ck_assert_uint_eq(fv_x86_usable(&full), X86_FEATURES);
}
END_TEST

START_TEST(x86_nothing) {
    const fv_x86_registers none = {0};
    ck_assert_uint_eq(fv_x86_present(&none), 0);
    ck_assert_uint_eq(fv_x86_usable(&none), 0);
}
END_TEST

START_TEST(x86_system_without_xsave) {
    fv_x86_registers r = full;
    r.leaf1_ecx &= ~(1u << 27);
    ck_assert_uint_eq(fv_x86_usable(&r), 0);
    ck_assert_uint_eq(fv_x86_present(&r), X86_FEATURES);
}
END_TEST

START_TEST(x86_system_saves_some_registers) {
    enum { AMX_ONLY = FV_CPU_AMX };
    const struct {
        uint64_t xcr0;
        uint32_t usable;
    } cases[] = {
        {0x0, 0},
        {0x1, 0},
        {0x2, 0},
        {0x4, 0},
        {0x6, AVX2_FEATURES},
        {0x7, AVX2_FEATURES},
        {0x26, AVX2_FEATURES},
        {0x66, AVX2_FEATURES},
        {0xa6, AVX2_FEATURES},
        {0xc6, AVX2_FEATURES},
        {0xe2, 0},
        {0xe4, 0},
        {0xe6, X86_FEATURES & ~AMX_ONLY},
        {0x200e6, X86_FEATURES & ~AMX_ONLY},
        {0x400e6, X86_FEATURES & ~AMX_ONLY},
        {0x600e6, X86_FEATURES},
        {0x602e7, X86_FEATURES},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fv_x86_registers r = full;
        r.xcr0 = cases[i].xcr0;
        ck_assert_uint_eq(fv_x86_usable(&r), cases[i].usable);
        ck_assert_uint_eq(fv_x86_present(&r), X86_FEATURES);
    }
}
END_TEST

START_TEST(x86_without_leaf_7) {
    fv_x86_registers r = full;
    r.max_leaf = 6;
    ck_assert_uint_eq(fv_x86_usable(&r), FV_CPU_fma | FV_CPU_f16c);
    r.max_leaf = 0;
    ck_assert_uint_eq(fv_x86_usable(&r), 0);
}
END_TEST

START_TEST(x86_without_subleaf_1) {
    fv_x86_registers r = full;
    r.leaf7_eax = 0;
    ck_assert_uint_eq(fv_x86_usable(&r), X86_FEATURES & ~(uint32_t)(FV_CPU_avx512bf16 | FV_CPU_fastbf16));
}
END_TEST

START_TEST(x86_of_another_vendor_has_no_fast_bf16) {
    fv_x86_registers r = full;
    memcpy(r.vendor, "GenuineIntel", sizeof r.vendor);
    ck_assert_uint_eq(fv_x86_usable(&r), X86_FEATURES & ~(uint32_t)FV_CPU_fastbf16);
    ck_assert_uint_eq(fv_x86_present(&r), X86_FEATURES & ~(uint32_t)FV_CPU_fastbf16);
}
END_TEST

START_TEST(x86_hidden_avx_hides_all) {
    fv_x86_registers r = full;
    r.leaf1_ecx &= ~(1u << 28);
    ck_assert_uint_eq(fv_x86_present(&r), 0);
    ck_assert_uint_eq(fv_x86_usable(&r), 0);
}
END_TEST

START_TEST(x86_each_flag_alone) {
    const struct {
        fv_x86_registers cleared;
        uint32_t feature;
    } cases[] = {
        {{.leaf7_ebx = 1u << 5}, FV_CPU_avx2},        {{.leaf1_ecx = 1u << 12}, FV_CPU_fma},
        {{.leaf1_ecx = 1u << 29}, FV_CPU_f16c},       {{.leaf7_ebx = 1u << 16}, FV_CPU_avx512f},
        {{.leaf7_ebx = 1u << 30}, FV_CPU_avx512bw},   {{.leaf7_ebx = 1u << 17}, FV_CPU_avx512dq},
        {{.leaf7_ebx = 1u << 31}, FV_CPU_avx512vl},   {{.leaf7_1_eax = 1u << 5}, FV_CPU_avx512bf16 | FV_CPU_fastbf16},
        {{.leaf7_ecx = 1u << 11}, FV_CPU_avx512vnni}, {{.leaf7_edx = 1u << 24}, FV_CPU_amxtile},
        {{.leaf7_edx = 1u << 22}, FV_CPU_amxbf16},    {{.leaf7_edx = 1u << 25}, FV_CPU_amxint8},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fv_x86_registers r = full;
        r.leaf1_ecx &= ~cases[i].cleared.leaf1_ecx;
        r.leaf7_ebx &= ~cases[i].cleared.leaf7_ebx;
        r.leaf7_ecx &= ~cases[i].cleared.leaf7_ecx;
        r.leaf7_edx &= ~cases[i].cleared.leaf7_edx;
        r.leaf7_1_eax &= ~cases[i].cleared.leaf7_1_eax;
        ck_assert_uint_eq(fv_x86_usable(&r), X86_FEATURES & ~cases[i].feature);
    }
}
END_TEST

/* ---- AArch64 ---- */

START_TEST(arm_capabilities) {
    ck_assert_uint_eq(fv_arm_features(0), 0);
    ck_assert_uint_eq(fv_arm_features(1), 0);
    ck_assert_uint_eq(fv_arm_features(2), FV_CPU_asimd);
    ck_assert_uint_eq(fv_arm_features(0xffffffff), FV_CPU_asimd);
}
END_TEST

START_TEST(arm_names) {
    char text[64];
    fv_arm_name(0x410fd083, text, sizeof text);
    ck_assert_str_eq(text, "Arm Cortex-A72");
    fv_arm_name(0x413fd0c1, text, sizeof text);
    ck_assert_str_eq(text, "Arm Neoverse N1");
    fv_arm_name(0x510f8001, text, sizeof text);
    ck_assert_str_eq(text, "AArch64 implementer 0x51 part 0x800");
}
END_TEST

Suite *cpu_suite(void);

Suite *cpu_suite(void) {
    Suite *suite = suite_create("cpu");
    TCase *group;

    group = tcase_create("x86");
    tcase_add_test(group, x86_everything);
    tcase_add_test(group, x86_nothing);
    tcase_add_test(group, x86_system_without_xsave);
    tcase_add_test(group, x86_system_saves_some_registers);
    tcase_add_test(group, x86_without_leaf_7);
    tcase_add_test(group, x86_without_subleaf_1);
    tcase_add_test(group, x86_of_another_vendor_has_no_fast_bf16);
    tcase_add_test(group, x86_hidden_avx_hides_all);
    tcase_add_test(group, x86_each_flag_alone);
    suite_add_tcase(suite, group);

    group = tcase_create("arm");
    tcase_add_test(group, arm_capabilities);
    tcase_add_test(group, arm_names);
    suite_add_tcase(suite, group);

    return suite;
}
