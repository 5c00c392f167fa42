/* The public queries about instruction sets: views of the process's decision. */
#include "fovea/isa.h"

#include <pthread.h>
#include <string.h>

#include "arch/cpu.h"
#include "src/decide.h"
#include "src/status.h"

static pthread_once_t cpu_name_once = PTHREAD_ONCE_INIT;
static char cpu_name[64];

static void read_cpu_name(void) {
    fv_cpu_name(cpu_name, (int32_t)sizeof cpu_name);
}

const char *fovea_cpu_name(void) {
    pthread_once(&cpu_name_once, read_cpu_name);
    return cpu_name;
}

int32_t fovea_isa_count(void) {
    return FV_ISA_COUNT;
}

fovea_status fovea_isa_query(fovea_isa isa, fovea_isa_info *info) {
    const fv_isa_entry *entries = fv_isa_entries();
    const fv_decision *decision = fv_process_decision();
    if (info == NULL)
        return fv_fail(FOVEA_INVALID, "info is NULL");
    if (info->struct_size != sizeof *info)
        return fv_fail(FOVEA_INVALID, "info.struct_size (%zu) is not %zu", info->struct_size, sizeof *info);
    for (int32_t i = 0; i < FV_ISA_COUNT; i++) {
        if (entries[i].isa != isa)
            continue;
        info->name = entries[i].name;
        info->compiled = entries[i].backend != NULL;
        info->detected = fv_decide_runs(&entries[i], decision->detected);
        info->chosen = entries[i].backend != NULL && entries[i].backend == decision->chosen;
        info->reason = decision->reasons[i];
        return FOVEA_OK;
    }
    return fv_fail(FOVEA_INVALID, "isa (%d) is no instruction set that fovea knows", (int)isa);
}

fovea_status fovea_isa_chosen(fovea_isa *isa) {
    const fv_decision *decision = fv_process_decision();
    if (isa == NULL)
        return fv_fail(FOVEA_INVALID, "isa is NULL");
    if (decision->status != FOVEA_OK)
        return fv_fail(decision->status, "%s", decision->failure);
    *isa = decision->chosen->isa;
    return FOVEA_OK;
}

fovea_status fovea_isa_parse(const char *name, fovea_isa *isa) {
    const fv_isa_entry *entries = fv_isa_entries();
    int32_t index;
    if (name == NULL)
        return fv_fail(FOVEA_INVALID, "name is NULL");
    if (isa == NULL)
        return fv_fail(FOVEA_INVALID, "isa is NULL");
    if (strcmp(name, "auto") == 0) {
        *isa = FOVEA_ISA_AUTO;
        return FOVEA_OK;
    }
    index = fv_decide_find(entries, name);
    if (index < 0) {
        char names[FV_DECIDE_NAMES_SIZE];
        fv_decide_names(entries, 0, names, sizeof names);
        return fv_fail(FOVEA_INVALID, "name (%.32s) is none of auto, %s", name, names);
    }
    *isa = entries[index].isa;
    return FOVEA_OK;
}
