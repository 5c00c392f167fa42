#include "src/dispatch.h"

#include <pthread.h>
#include <stdlib.h>

#include "arch/cpu.h"
#include "src/decide.h"
#include "src/status.h"

/* FV_HAVE_<name> is defined as 1 for a backend of this build and not at all for others. FV_TABLE(name) is then the
 * address of its table, or NULL without naming a symbol that does not exist. */
#define FV_SECOND(first, second, ...) second
#define FV_EXTRA_ARGUMENT_1 ~,
#define FV_TABLE_CHOOSE(extra, name) FV_SECOND(extra &fv_backend_##name, NULL, ~)
#define FV_TABLE_EXPANDED(have, name) FV_TABLE_CHOOSE(FV_EXTRA_ARGUMENT_##have, name)
#define FV_TABLE_IF(have, name) FV_TABLE_EXPANDED(have, name)
#define FV_TABLE(name) FV_TABLE_IF(FV_HAVE_##name, name)

#define FV_NATIVE_any 1
#ifdef __x86_64__
#define FV_NATIVE_x86_64 1
#else
#define FV_NATIVE_x86_64 0
#endif
#ifdef __aarch64__
#define FV_NATIVE_aarch64 1
#else
#define FV_NATIVE_aarch64 0
#endif

#define FV_BACKEND(name, isa, architecture, required, advised) extern const fv_backend fv_backend_##name;
#include "arch/backends.def"
#undef FV_BACKEND

static const fv_isa_entry entries[FV_ISA_COUNT] = {
#define FV_BACKEND(name, isa, architecture, required, advised) \
    {#name, isa, FV_NATIVE_##architecture, required, advised, FV_TABLE(name)},
#include "arch/backends.def"
#undef FV_BACKEND
};

static pthread_once_t decision_once = PTHREAD_ONCE_INIT;
static fv_decision decision;

static void decide(void) {
    const fv_cpu_state cpu = {.present = fv_cpu_present(), .usable = fv_cpu_detect(), .request = fv_cpu_request};
    fv_decide(entries, cpu, getenv("FOVEA_ISA"), &decision);
}

const fv_isa_entry *fv_isa_entries(void) {
    return entries;
}

const fv_decision *fv_process_decision(void) {
    pthread_once(&decision_once, decide);
    return &decision;
}

const fv_backend *fv_dispatch_select(uint32_t features, fovea_isa cap) {
    const int32_t index = fv_decide_best(entries, features, cap, FOVEA_ISA_AUTO);
    /* The portable backend is the first entry, always built in, and requires nothing. */
    return entries[index].backend;
}

fovea_status fv_dispatch(fovea_isa cap, const fv_backend **backend) {
    const fv_decision *process = fv_process_decision();
    if (process->status != FOVEA_OK)
        return fv_fail(process->status, "%s", process->failure);
    if (cap == FOVEA_ISA_AUTO) {
        *backend = process->chosen;
        return FOVEA_OK;
    }
    if ((int)cap < 0 || (int)cap > FV_ISA_COUNT)
        return fv_fail(FOVEA_INVALID, "isa_cap (%d) is no fovea_isa", (int)cap);
    for (int32_t i = 0; i < FV_ISA_COUNT; i++) {
        if (entries[i].isa == cap && entries[i].backend == NULL) {
            char names[FV_DECIDE_NAMES_SIZE];
            fv_decide_names(entries, 1, names, sizeof names);
            return fv_fail(FOVEA_UNSUPPORTED, "isa_cap (%s) is %s; this build holds %s", entries[i].name,
                           fv_decide_absence(&entries[i]), names);
        }
    }
    *backend = entries[fv_decide_best(entries, process->features, cap, process->cap)].backend;
    return FOVEA_OK;
}

const fv_backend *fv_backend_at(int32_t index) {
    for (int32_t i = 0; i < FV_ISA_COUNT && index >= 0; i++)
        if (entries[i].backend != NULL && index-- == 0)
            return entries[i].backend;
    return NULL;
}

int32_t fv_backend_runs(const fv_backend *backend) {
    for (int32_t i = 0; i < FV_ISA_COUNT; i++)
        if (entries[i].backend == backend)
            return fv_decide_runs(&entries[i], fv_process_decision()->features);
    return 0;
}
