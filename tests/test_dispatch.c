/* Choosing a backend: processors, operating systems, builds and environments are played; this machine's own are only
 * looked at for consistency. */
#include <check.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/cpu.h"
#include "fovea/fovea.h"
#include "src/decide.h"
#include "src/dispatch.h"
#include "support/cpu_features.h"

/* ---- The decision ---- */

static const fv_backend played[FV_ISA_COUNT] = {
    {.name = "generic", .isa = FOVEA_ISA_GENERIC},
    {.name = "avx2", .isa = FOVEA_ISA_AVX2},
    {.name = "avx512", .isa = FOVEA_ISA_AVX512},
    {.name = "avx512vnni", .isa = FOVEA_ISA_AVX512VNNI},
    {.name = "avx512bf16", .isa = FOVEA_ISA_AVX512BF16},
    {.name = "amxbf16", .isa = FOVEA_ISA_AMXBF16},
    {.name = "neon", .isa = FOVEA_ISA_NEON},
};

/* A build for x86-64 that holds every backend of it. */
static const fv_isa_entry x86_build[FV_ISA_COUNT] = {
    {"generic", FOVEA_ISA_GENERIC, 1, 0, 0, &played[0]},
    {"avx2", FOVEA_ISA_AVX2, 1, AVX2_FEATURES, 0, &played[1]},
    {"avx512", FOVEA_ISA_AVX512, 1, AVX512_FEATURES, 0, &played[2]},
    {"avx512vnni", FOVEA_ISA_AVX512VNNI, 1, VNNI_FEATURES, 0, &played[3]},
    {"avx512bf16", FOVEA_ISA_AVX512BF16, 1, BF16_FEATURES, FV_CPU_fastbf16, &played[4]},
    {"amxbf16", FOVEA_ISA_AMXBF16, 1, AMX_FEATURES, 0, &played[5]},
    {"neon", FOVEA_ISA_NEON, 0, FV_CPU_asimd, 0, NULL},
};

/* What was asked for last. */
static uint32_t requested;

static uint32_t grant(uint32_t features) {
    requested = features;
    return 0;
}

static uint32_t refuse(uint32_t features) {
    requested = features;
    return features;
}

/* All that is known, and the same without AMX. */
static const fv_cpu_state amx_cpu = {.present = X86_FEATURES, .usable = X86_FEATURES, .request = grant};
enum { FAST_BF16_FEATURES = BF16_FEATURES | FV_CPU_fastbf16 };
static const fv_cpu_state bf16_cpu = {.present = FAST_BF16_FEATURES, .usable = FAST_BF16_FEATURES};

static void expect_reasons(const fv_decision *decision, const char *const *reasons) {
    for (int i = 0; i < FV_ISA_COUNT; i++)
        ck_assert_str_eq(decision->reasons[i], reasons[i]);
}

START_TEST(decides_for_the_best) {
    static const char *const reasons[] = {"avx512bf16 outranks it",
                                          "avx512bf16 outranks it",
                                          "avx512bf16 outranks it",
                                          "avx512bf16 outranks it",
                                          "chosen",
                                          "CPU lacks amxtile, amxbf16, amxint8",
                                          "another architecture's"};
    fv_decision decision;
    fv_decide(x86_build, bf16_cpu, NULL, &decision);
    ck_assert_int_eq(decision.status, FOVEA_OK);
    ck_assert_int_eq(decision.cap, FOVEA_ISA_AUTO);
    ck_assert_ptr_eq(decision.chosen, &played[4]);
    expect_reasons(&decision, reasons);
}
END_TEST

/* AMX outranks bf16 instructions, be they fast or slow. */
START_TEST(decides_for_amx) {
    static const char *const reasons[] = {"amxbf16 outranks it",   "amxbf16 outranks it", "amxbf16 outranks it",
                                          "amxbf16 outranks it",   "amxbf16 outranks it", "chosen",
                                          "another architecture's"};
    const fv_cpu_state slow_bf16_cpu = {.present = AMX_FEATURES, .usable = AMX_FEATURES, .request = grant};
    fv_decision decision;
    fv_decide(x86_build, amx_cpu, NULL, &decision);
    ck_assert_ptr_eq(decision.chosen, &played[5]);
    expect_reasons(&decision, reasons);
    ck_assert_uint_eq(decision.features, X86_FEATURES);
    fv_decide(x86_build, slow_bf16_cpu, NULL, &decision);
    ck_assert_ptr_eq(decision.chosen, &played[5]);
}
END_TEST

START_TEST(a_refused_request_falls_to_the_next) {
    static const char *const reasons[] = {"avx512bf16 outranks it",
                                          "avx512bf16 outranks it",
                                          "avx512bf16 outranks it",
                                          "avx512bf16 outranks it",
                                          "chosen",
                                          "the operating system refuses this process its registers",
                                          "another architecture's"};
    const fv_cpu_state cpu = {.present = X86_FEATURES, .usable = X86_FEATURES, .request = refuse};
    fv_decision decision;
    requested = 0;
    fv_decide(x86_build, cpu, NULL, &decision);
    ck_assert_uint_eq(requested, FV_CPU_ON_REQUEST);
    ck_assert_uint_eq(decision.detected, X86_FEATURES & ~FV_CPU_ON_REQUEST);
    ck_assert_uint_eq(decision.features, X86_FEATURES & ~FV_CPU_ON_REQUEST);
    expect_reasons(&decision, reasons);
}
END_TEST

/* A permission changes the process: see isa.h. */
START_TEST(nothing_is_requested_that_will_not_be_used) {
    fv_isa_entry without_amx[FV_ISA_COUNT];
    fv_decision decision;
    requested = 0;
    fv_decide(x86_build, amx_cpu, "avx512bf16", &decision);
    ck_assert_uint_eq(decision.detected, X86_FEATURES);
    ck_assert_uint_eq(decision.features, X86_FEATURES & ~FV_CPU_ON_REQUEST);
    fv_decide(x86_build, amx_cpu, "no such name", &decision);
    ck_assert_uint_eq(decision.features, X86_FEATURES & ~FV_CPU_ON_REQUEST);
    memcpy(without_amx, x86_build, sizeof without_amx);
    without_amx[5].backend = NULL;
    fv_decide(without_amx, amx_cpu, NULL, &decision);
    ck_assert_ptr_eq(decision.chosen, &played[4]);
    fv_decide(x86_build, bf16_cpu, NULL, &decision);
    ck_assert_uint_eq(requested, 0);
}
END_TEST

START_TEST(empty_and_auto_are_no_cap) {
    fv_decision decision;
    fv_decide(x86_build, bf16_cpu, "", &decision);
    ck_assert_int_eq(decision.status, FOVEA_OK);
    ck_assert_ptr_eq(decision.chosen, &played[4]);
    fv_decide(x86_build, bf16_cpu, "auto", &decision);
    ck_assert_int_eq(decision.status, FOVEA_OK);
    ck_assert_ptr_eq(decision.chosen, &played[4]);
}
END_TEST

START_TEST(environment_caps) {
    static const char *const reasons[] = {"avx2 outranks it",       "chosen",
                                          "FOVEA_ISA caps at avx2", "FOVEA_ISA caps at avx2",
                                          "FOVEA_ISA caps at avx2", "FOVEA_ISA caps at avx2",
                                          "another architecture's"};
    fv_decision decision;
    fv_decide(x86_build, amx_cpu, "avx2", &decision);
    ck_assert_int_eq(decision.status, FOVEA_OK);
    ck_assert_int_eq(decision.cap, FOVEA_ISA_AVX2);
    ck_assert_ptr_eq(decision.chosen, &played[1]);
    expect_reasons(&decision, reasons);
}
END_TEST

START_TEST(cap_beyond_the_cpu_falls) {
    static const char *const reasons[] = {"avx2 outranks it",
                                          "chosen",
                                          "CPU lacks avx512bw",
                                          "CPU lacks avx512bw, avx512vnni",
                                          "CPU lacks avx512bw, avx512bf16, avx512vnni",
                                          "CPU lacks avx512bw, avx512bf16, avx512vnni, amxtile, amxbf16, amxint8",
                                          "another architecture's"};
    const uint32_t features = AVX512_FEATURES & ~FV_CPU_avx512bw;
    const fv_cpu_state cpu = {.present = features, .usable = features};
    fv_decision decision;
    fv_decide(x86_build, cpu, "avx512", &decision);
    ck_assert_int_eq(decision.status, FOVEA_OK);
    ck_assert_ptr_eq(decision.chosen, &played[1]);
    expect_reasons(&decision, reasons);
}
END_TEST

START_TEST(system_does_not_save) {
    static const char *const reasons[] = {"avx2 outranks it",
                                          "chosen",
                                          "the operating system does not save its registers",
                                          "the operating system does not save its registers",
                                          "the operating system does not save its registers",
                                          "the operating system does not save its registers",
                                          "another architecture's"};
    const fv_cpu_state cpu = {.present = X86_FEATURES, .usable = AVX2_FEATURES};
    fv_decision decision;
    fv_decide(x86_build, cpu, NULL, &decision);
    ck_assert_ptr_eq(decision.chosen, &played[1]);
    expect_reasons(&decision, reasons);
}
END_TEST

START_TEST(bare_cpu_gets_generic) {
    static const char *const reasons[] = {
        "chosen",
        "CPU lacks avx2, fma, f16c",
        "CPU lacks avx2, fma, f16c, avx512f, avx512bw, avx512dq, avx512vl",
        "CPU lacks avx2, fma, f16c, avx512f, avx512bw, avx512dq, avx512vl, avx512vnni",
        "CPU lacks avx2, fma, f16c, avx512f, avx512bw, avx512dq, avx512vl, avx512bf16, avx512vnni",
        ("CPU lacks avx2, fma, f16c, avx512f, avx512bw, avx512dq, avx512vl, avx512bf16, avx512vnni, amxtile, amxbf16, "
         "amxint8"),
        "another architecture's"};
    const fv_cpu_state cpu = {0, 0, NULL};
    fv_decision decision;
    fv_decide(x86_build, cpu, NULL, &decision);
    ck_assert_ptr_eq(decision.chosen, &played[0]);
    expect_reasons(&decision, reasons);
}
END_TEST

START_TEST(required_flags_are_a_set) {
    const uint32_t features = BF16_FEATURES & ~FV_CPU_f16c;
    ck_assert_int_eq(fv_decide_best(x86_build, features, FOVEA_ISA_AUTO, FOVEA_ISA_AUTO), 0);
    ck_assert_int_eq(fv_decide_best(x86_build, FAST_BF16_FEATURES, FOVEA_ISA_AUTO, FOVEA_ISA_AUTO), 4);
    ck_assert_int_eq(fv_decide_best(x86_build, X86_FEATURES, FOVEA_ISA_AVX512BF16, FOVEA_ISA_AUTO), 4);
    ck_assert_int_eq(fv_decide_best(x86_build, X86_FEATURES & ~FV_CPU_amxtile, FOVEA_ISA_AUTO, FOVEA_ISA_AUTO), 4);
    ck_assert_int_eq(fv_decide_best(x86_build, BF16_FEATURES, FOVEA_ISA_AVX512, FOVEA_ISA_AUTO), 2);
    ck_assert_int_eq(fv_decide_best(x86_build, BF16_FEATURES, FOVEA_ISA_AVX512, FOVEA_ISA_AVX2), 1);
    ck_assert_int_eq(fv_decide_best(x86_build, BF16_FEATURES, FOVEA_ISA_GENERIC, FOVEA_ISA_AVX2), 0);
}
END_TEST

START_TEST(slow_bf16_must_be_named) {
    static const char *const unnamed[] = {"avx512vnni outranks it",
                                          "avx512vnni outranks it",
                                          "avx512vnni outranks it",
                                          "chosen",
                                          "slower than avx512vnni on this processor: only if named",
                                          "CPU lacks amxtile, amxbf16, amxint8",
                                          "another architecture's"};
    const fv_cpu_state cpu = {.present = BF16_FEATURES, .usable = BF16_FEATURES};
    fv_decision decision;
    fv_decide(x86_build, cpu, NULL, &decision);
    ck_assert_ptr_eq(decision.chosen, &played[3]);
    expect_reasons(&decision, unnamed);
    fv_decide(x86_build, cpu, "avx512bf16", &decision);
    ck_assert_ptr_eq(decision.chosen, &played[4]);
    ck_assert_int_eq(fv_decide_best(x86_build, BF16_FEATURES, FOVEA_ISA_AVX512BF16, FOVEA_ISA_AUTO), 4);
    ck_assert_int_eq(fv_decide_best(x86_build, BF16_FEATURES, FOVEA_ISA_AVX512BF16, FOVEA_ISA_AVX512), 2);
}
END_TEST

START_TEST(not_built_in) {
    fv_isa_entry build[FV_ISA_COUNT];
    fv_decision decision;
    memcpy(build, x86_build, sizeof build);
    build[2].backend = NULL;
    build[3].backend = NULL;
    build[4].backend = NULL;
    build[5].backend = NULL;
    fv_decide(build, bf16_cpu, NULL, &decision);
    ck_assert_ptr_eq(decision.chosen, &played[1]);
    ck_assert_str_eq(decision.reasons[2], "not built in");
    ck_assert_str_eq(decision.reasons[3], "not built in");

    fv_decide(build, bf16_cpu, "avx512", &decision);
    ck_assert_int_eq(decision.status, FOVEA_INVALID);
    ck_assert_ptr_null(decision.chosen);
    ck_assert_str_eq(decision.failure, "FOVEA_ISA (avx512) is not built in; this build holds generic, avx2");
    ck_assert_str_eq(decision.reasons[0], "FOVEA_ISA names no backend of this build");
    ck_assert_str_eq(decision.reasons[1], "FOVEA_ISA names no backend of this build");
    ck_assert_str_eq(decision.reasons[2], "not built in");
}
END_TEST

START_TEST(environment_names_nothing) {
    fv_decision decision;
    fv_decide(x86_build, bf16_cpu, "neon", &decision);
    ck_assert_int_eq(decision.status, FOVEA_INVALID);
    ck_assert_str_eq(decision.failure, "FOVEA_ISA (neon) is another architecture's; "
                                       "this build holds generic, avx2, avx512, avx512vnni, avx512bf16, amxbf16");
    fv_decide(x86_build, bf16_cpu, "AVX2", &decision);
    ck_assert_int_eq(decision.status, FOVEA_INVALID);
    ck_assert_str_eq(
        decision.failure,
        "FOVEA_ISA (AVX2) is no backend; this build holds generic, avx2, avx512, avx512vnni, avx512bf16, amxbf16");
    fv_decide(x86_build, bf16_cpu, "a name that goes on for longer than any text should", &decision);
    ck_assert_str_eq(decision.failure, "FOVEA_ISA (a name that goes on for longer t) is no backend; "
                                       "this build holds generic, avx2, avx512, avx512vnni, avx512bf16, amxbf16");
}
END_TEST

START_TEST(names_are_cut_to_fit) {
    char text[12];
    fv_decide_names(x86_build, 1, text, sizeof text);
    ck_assert_str_eq(text, "generic, av");
}
END_TEST

/* ---- This build on this machine ---- */

/* FOVEA_ISA is read once a process, so these tests need one each. */
static bool has_own_process(void) {
    const char *fork_mode = getenv("CK_FORK");
    return fork_mode == NULL || strcmp(fork_mode, "no") != 0;
}

static fovea_isa_info query(fovea_isa isa) {
    fovea_isa_info info = {.struct_size = sizeof info};
    ck_assert_int_eq(fovea_isa_query(isa, &info), FOVEA_OK);
    return info;
}

START_TEST(registry_is_consistent) {
    const fv_isa_entry *entries = fv_isa_entries();
    int32_t count = 0;
    unsetenv("FOVEA_ISA");
    for (int i = 0; i < FV_ISA_COUNT; i++) {
        const fv_backend *backend = entries[i].backend;
        if (backend == NULL)
            continue;
        ck_assert_str_eq(backend->name, entries[i].name);
        ck_assert_int_eq(backend->isa, entries[i].isa);
        ck_assert(entries[i].native);
        ck_assert_ptr_eq(fv_backend_at(count), backend);
        count++;
    }
    ck_assert_int_ge(count, 1);
    ck_assert_ptr_null(fv_backend_at(count));
    ck_assert_ptr_null(fv_backend_at(-1));
    ck_assert_str_eq(fv_backend_at(0)->name, "generic");
    ck_assert(fv_backend_runs(fv_backend_at(0)));
    ck_assert(!fv_backend_runs(&played[0]));
    ck_assert_str_eq(fv_dispatch_select(0, FOVEA_ISA_AUTO)->name, "generic");
    ck_assert_str_eq(fv_dispatch_select(UINT32_MAX, FOVEA_ISA_GENERIC)->name, "generic");
    ck_assert_ptr_eq(fv_dispatch_select(UINT32_MAX, FOVEA_ISA_AUTO), fv_backend_at(count - 1));
}
END_TEST

START_TEST(detected_is_within_present) {
    ck_assert_uint_eq(fv_cpu_detect() & ~fv_cpu_present(), 0);
    ck_assert_uint_eq(fv_cpu_detect(), fv_cpu_detect());
}
END_TEST

START_TEST(queries_agree) {
    fovea_isa chosen = FOVEA_ISA_AUTO;
    const fv_backend *backend = NULL;
    int chosen_count = 0;
    if (!has_own_process())
        return;
    unsetenv("FOVEA_ISA");
    ck_assert_int_eq(fovea_isa_chosen(&chosen), FOVEA_OK);
    ck_assert_int_eq(fv_dispatch(FOVEA_ISA_AUTO, &backend), FOVEA_OK);
    ck_assert_int_eq(backend->isa, chosen);
    ck_assert(fv_backend_runs(backend));
    ck_assert_int_eq(fovea_isa_count(), FV_ISA_COUNT);
    for (int32_t i = 1; i <= fovea_isa_count(); i++) {
        const fovea_isa_info info = query((fovea_isa)i);
        fovea_isa parsed = FOVEA_ISA_AUTO;
        ck_assert_int_eq(fovea_isa_parse(info.name, &parsed), FOVEA_OK);
        ck_assert_int_eq(parsed, i);
        ck_assert_int_eq(info.chosen, chosen == (fovea_isa)i);
        ck_assert_int_eq(info.chosen, strcmp(info.reason, "chosen") == 0);
        ck_assert(!info.chosen || (info.compiled && info.detected));
        chosen_count += info.chosen;
    }
    ck_assert_int_eq(chosen_count, 1);
}
END_TEST

START_TEST(plan_caps) {
    const fv_backend *backend = NULL;
    if (!has_own_process())
        return;
    unsetenv("FOVEA_ISA");
    ck_assert_int_eq(fv_dispatch(FOVEA_ISA_GENERIC, &backend), FOVEA_OK);
    ck_assert_str_eq(backend->name, "generic");
    ck_assert_int_eq(fv_dispatch((fovea_isa)(FV_ISA_COUNT + 1), &backend), FOVEA_INVALID);
    ck_assert_str_eq(fovea_last_reason(), "isa_cap (8) is no fovea_isa");
    ck_assert_int_eq(fv_dispatch((fovea_isa)-1, &backend), FOVEA_INVALID);
    for (int i = 0; i < FV_ISA_COUNT; i++) {
        const fv_isa_entry *entry = &fv_isa_entries()[i];
        if (entry->backend != NULL) {
            ck_assert_int_eq(fv_dispatch(entry->isa, &backend), FOVEA_OK);
            ck_assert_int_le(backend->isa, entry->isa);
            ck_assert(fv_backend_runs(backend));
        } else {
            ck_assert_int_eq(fv_dispatch(entry->isa, &backend), FOVEA_UNSUPPORTED);
            ck_assert_ptr_nonnull(strstr(fovea_last_reason(), "isa_cap"));
            ck_assert_ptr_nonnull(strstr(fovea_last_reason(), entry->name));
            ck_assert_ptr_nonnull(strstr(fovea_last_reason(), "this build holds generic"));
        }
    }
}
END_TEST

START_TEST(process_cap) {
    fovea_isa chosen = FOVEA_ISA_AUTO;
    const fv_backend *backend = NULL;
    if (!has_own_process())
        return;
    setenv("FOVEA_ISA", "generic", 1);
    ck_assert_int_eq(fovea_isa_chosen(&chosen), FOVEA_OK);
    ck_assert_int_eq(chosen, FOVEA_ISA_GENERIC);
    /* Read once: later changes do nothing. */
    setenv("FOVEA_ISA", "nonsense", 1);
    ck_assert_int_eq(fovea_isa_chosen(&chosen), FOVEA_OK);
    /* The lower of both caps counts. */
    for (int i = 0; i < FV_ISA_COUNT; i++) {
        const fv_isa_entry *entry = &fv_isa_entries()[i];
        if (entry->backend == NULL)
            continue;
        ck_assert_int_eq(fv_dispatch(entry->isa, &backend), FOVEA_OK);
        ck_assert_str_eq(backend->name, "generic");
        if (entry->isa != FOVEA_ISA_GENERIC && fv_backend_runs(entry->backend))
            ck_assert_str_eq(query(entry->isa).reason, "FOVEA_ISA caps at generic");
    }
}
END_TEST

START_TEST(process_cap_misspelt) {
    fovea_isa chosen = FOVEA_ISA_NEON;
    const fv_backend *backend = NULL;
    if (!has_own_process())
        return;
    setenv("FOVEA_ISA", "avx\n3", 1);
    ck_assert_int_eq(fovea_isa_chosen(&chosen), FOVEA_INVALID);
    ck_assert_int_eq(chosen, FOVEA_ISA_NEON);
    ck_assert_ptr_null(strchr(fovea_last_reason(), '\n'));
    ck_assert_ptr_nonnull(strstr(fovea_last_reason(), "is no backend; this build holds generic"));
    ck_assert_int_eq(fv_dispatch(FOVEA_ISA_AUTO, &backend), FOVEA_INVALID);
    ck_assert_int_eq(fv_dispatch(FOVEA_ISA_GENERIC, &backend), FOVEA_INVALID);
    ck_assert_ptr_null(backend);
    for (int32_t i = 1; i <= fovea_isa_count(); i++)
        ck_assert_int_eq(query((fovea_isa)i).chosen, 0);
}
END_TEST

/* A backend of another architecture, or one left out of this build, is no silent fallback. */
START_TEST(process_cap_not_in_this_build) {
    const fv_isa_entry *entry = &fv_isa_entries()[_i];
    const fv_backend *backend = NULL;
    char names[FV_DECIDE_NAMES_SIZE];
    char wanted[2 * FV_DECIDE_NAMES_SIZE];
    if (!has_own_process() || entry->backend != NULL)
        return;
    setenv("FOVEA_ISA", entry->name, 1);
    fv_decide_names(fv_isa_entries(), 1, names, sizeof names);
    snprintf(wanted, sizeof wanted, "FOVEA_ISA (%s) is %s; this build holds %s", entry->name,
             entry->native ? "not built in" : "another architecture's", names);
    ck_assert_int_eq(fv_dispatch(FOVEA_ISA_AUTO, &backend), FOVEA_INVALID);
    ck_assert_str_eq(fovea_last_reason(), wanted);
    ck_assert_ptr_null(backend);
}
END_TEST

START_TEST(wrong_arguments) {
    fovea_isa_info info = {.struct_size = sizeof info};
    fovea_isa isa = FOVEA_ISA_NEON;
    ck_assert_int_eq(fovea_isa_query(FOVEA_ISA_AUTO, &info), FOVEA_INVALID);
    ck_assert_int_eq(fovea_isa_query((fovea_isa)(FV_ISA_COUNT + 1), &info), FOVEA_INVALID);
    ck_assert_int_eq(fovea_isa_query(FOVEA_ISA_AVX2, NULL), FOVEA_INVALID);
    info.struct_size = 0;
    ck_assert_int_eq(fovea_isa_query(FOVEA_ISA_AVX2, &info), FOVEA_INVALID);
    ck_assert_ptr_nonnull(strstr(fovea_last_reason(), "struct_size"));
    ck_assert_int_eq(fovea_isa_chosen(NULL), FOVEA_INVALID);
    ck_assert_int_eq(fovea_isa_parse(NULL, &isa), FOVEA_INVALID);
    ck_assert_int_eq(fovea_isa_parse("avx2", NULL), FOVEA_INVALID);
    ck_assert_int_eq(fovea_isa_parse("avx3", &isa), FOVEA_INVALID);
    ck_assert_str_eq(fovea_last_reason(),
                     "name (avx3) is none of auto, generic, avx2, avx512, avx512vnni, avx512bf16, amxbf16, neon");
    ck_assert_int_eq(isa, FOVEA_ISA_NEON);
    ck_assert_int_eq(fovea_isa_parse("auto", &isa), FOVEA_OK);
    ck_assert_int_eq(isa, FOVEA_ISA_AUTO);
}
END_TEST

START_TEST(names_the_cpu) {
    ck_assert_int_gt((int)strlen(fovea_cpu_name()), 0);
    ck_assert_ptr_eq(fovea_cpu_name(), fovea_cpu_name());
}
END_TEST

START_TEST(version_matches_the_headers) {
    char text[32];
    snprintf(text, sizeof text, "%d.%d.%d", FOVEA_VERSION_MAJOR, FOVEA_VERSION_MINOR, FOVEA_VERSION_PATCH);
    ck_assert_str_eq(fovea_version(), text);
}
END_TEST

static void *first_use(void *result) {
    fovea_isa isa = FOVEA_ISA_AUTO;
    *(fovea_isa *)result = fovea_isa_chosen(&isa) == FOVEA_OK ? isa : FOVEA_ISA_AUTO;
    return NULL;
}

START_TEST(first_use_by_many_threads) {
    enum { THREADS = 8 };
    pthread_t threads[THREADS];
    fovea_isa chosen[THREADS];
    unsetenv("FOVEA_ISA");
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, first_use, &chosen[i]), 0);
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(chosen[i], chosen[0]);
    ck_assert_int_ne(chosen[0], FOVEA_ISA_AUTO);
}
END_TEST

Suite *dispatch_suite(void);

Suite *dispatch_suite(void) {
    Suite *suite = suite_create("dispatch");
    TCase *group;

    group = tcase_create("decision");
    tcase_add_test(group, decides_for_the_best);
    tcase_add_test(group, decides_for_amx);
    tcase_add_test(group, a_refused_request_falls_to_the_next);
    tcase_add_test(group, nothing_is_requested_that_will_not_be_used);
    tcase_add_test(group, empty_and_auto_are_no_cap);
    tcase_add_test(group, environment_caps);
    tcase_add_test(group, cap_beyond_the_cpu_falls);
    tcase_add_test(group, system_does_not_save);
    tcase_add_test(group, bare_cpu_gets_generic);
    tcase_add_test(group, required_flags_are_a_set);
    tcase_add_test(group, slow_bf16_must_be_named);
    tcase_add_test(group, not_built_in);
    tcase_add_test(group, environment_names_nothing);
    tcase_add_test(group, names_are_cut_to_fit);
    suite_add_tcase(suite, group);

    group = tcase_create("process");
    tcase_add_test(group, registry_is_consistent);
    tcase_add_test(group, detected_is_within_present);
    tcase_add_test(group, queries_agree);
    tcase_add_test(group, plan_caps);
    tcase_add_test(group, process_cap);
    tcase_add_test(group, process_cap_misspelt);
    tcase_add_loop_test(group, process_cap_not_in_this_build, 0, FV_ISA_COUNT);
    tcase_add_test(group, wrong_arguments);
    tcase_add_test(group, names_the_cpu);
    tcase_add_test(group, version_matches_the_headers);
    tcase_add_test(group, first_use_by_many_threads);
    suite_add_tcase(suite, group);
    return suite;
}
