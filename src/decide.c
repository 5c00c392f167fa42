#include "src/decide.h"

#include <stdio.h>
#include <string.h>

#include "arch/cpu.h"

int32_t fv_decide_runs(const fv_isa_entry *entry, uint32_t features) {
    return entry->native && (entry->required & ~features) == 0;
}

int32_t fv_decide_find(const fv_isa_entry *entries, const char *name) {
    for (int32_t i = 0; i < FV_ISA_COUNT; i++)
        if (strcmp(entries[i].name, name) == 0)
            return i;
    return -1;
}

/* The index that a cap allows at most. */
static int32_t cap_index(const fv_isa_entry *entries, fovea_isa cap) {
    for (int32_t i = 0; i < FV_ISA_COUNT; i++)
        if (entries[i].isa == cap)
            return i;
    return FV_ISA_COUNT - 1;
}

static int32_t is_advised(const fv_isa_entry *entry, uint32_t features) {
    return (entry->advised & ~features) == 0;
}

int32_t fv_decide_best(const fv_isa_entry *entries, uint32_t features, fovea_isa cap, fovea_isa other_cap) {
    const int32_t limit = cap_index(entries, cap);
    const int32_t other_limit = cap_index(entries, other_cap);
    for (int32_t i = limit < other_limit ? limit : other_limit; i >= 0; i--) {
        const int32_t is_named = entries[i].isa == cap || entries[i].isa == other_cap;
        if (entries[i].backend != NULL && fv_decide_runs(&entries[i], features) &&
            (is_named || is_advised(&entries[i], features)))
            return i;
    }
    return -1;
}

void fv_decide_names(const fv_isa_entry *entries, int32_t built_in_only, char *text, size_t size) {
    size_t length = 0;
    text[0] = '\0';
    for (int32_t i = 0; i < FV_ISA_COUNT; i++) {
        if (built_in_only && entries[i].backend == NULL)
            continue;
        length += (size_t)snprintf(text + length, size - length, "%s%s", length > 0 ? ", " : "", entries[i].name);
        if (length >= size)
            return;
    }
}

const char *fv_decide_absence(const fv_isa_entry *entry) {
    return entry->native ? "not built in" : "another architecture's";
}

/* Fills in the cap, or the failure. */
static void read_environment(const fv_isa_entry *entries, const char *environment, fv_decision *decision) {
    char names[FV_DECIDE_NAMES_SIZE];
    int32_t index;
    decision->status = FOVEA_OK;
    decision->failure[0] = '\0';
    decision->cap = FOVEA_ISA_AUTO;
    if (environment == NULL || environment[0] == '\0' || strcmp(environment, "auto") == 0)
        return;
    index = fv_decide_find(entries, environment);
    if (index >= 0 && entries[index].backend != NULL) {
        decision->cap = entries[index].isa;
        return;
    }
    fv_decide_names(entries, 1, names, sizeof names);
    decision->status = FOVEA_INVALID;
    snprintf(decision->failure, sizeof decision->failure, "FOVEA_ISA (%.32s) is %s; this build holds %s", environment,
             index >= 0 ? fv_decide_absence(&entries[index]) : "no backend", names);
}

/* "CPU lacks avx512bw, avx512vl". */
static void explain_missing(uint32_t missing, char *text, size_t size) {
    static const struct {
        uint32_t bit;
        const char *name;
    } features[] = {
#define FV_FEATURE(bit, name) {FV_CPU_##name, #name},
        FV_CPU_FEATURES(FV_FEATURE)
#undef FV_FEATURE
    };
    size_t length = (size_t)snprintf(text, size, "CPU lacks");
    const char *separator = " ";
    for (size_t i = 0; i < sizeof features / sizeof features[0] && length < size; i++) {
        if (missing & features[i].bit) {
            length += (size_t)snprintf(text + length, size - length, "%s%s", separator, features[i].name);
            separator = ", ";
        }
    }
}

/* Says why entry `index` is the chosen one, or the first thing that stands in its way. */
static void explain(const fv_isa_entry *entries, int32_t index, int32_t chosen, int32_t limit, fv_cpu_state cpu,
                    const fv_decision *decision, char *text, size_t size) {
    const fv_isa_entry *entry = &entries[index];
    if (entry->backend == NULL)
        snprintf(text, size, "%s", fv_decide_absence(entry));
    else if (entry->required & ~cpu.present)
        explain_missing(entry->required & ~cpu.present, text, size);
    else if (entry->required & ~cpu.usable)
        snprintf(text, size, "the operating system does not save its registers");
    else if (decision->status != FOVEA_OK)
        snprintf(text, size, "FOVEA_ISA names no backend of this build");
    else if (index > limit)
        snprintf(text, size, "FOVEA_ISA caps at %s", entries[limit].name);
    else if (entry->required & ~decision->features)
        snprintf(text, size, "the operating system refuses this process its registers");
    else if (index == chosen)
        snprintf(text, size, "chosen");
    else if (index > chosen)
        snprintf(text, size, "slower than %s on this processor: only if named", entries[chosen].name);
    else
        snprintf(text, size, "%s outranks it", entries[chosen].name);
}

/* Finds what the process may use: of what is on request only what a backend of it requires and the system grants. */
static void request_features(const fv_isa_entry *entries, fv_cpu_state cpu, int32_t limit, fv_decision *decision) {
    uint32_t wanted = 0;
    for (int32_t i = 0; i <= limit; i++)
        if (entries[i].backend != NULL && fv_decide_runs(&entries[i], cpu.usable))
            wanted |= entries[i].required & FV_CPU_ON_REQUEST;
    const uint32_t refused = wanted ? cpu.request(wanted) : 0;
    decision->detected = cpu.usable & ~refused;
    decision->features = (cpu.usable & ~FV_CPU_ON_REQUEST) | (wanted & ~refused);
}

void fv_decide(const fv_isa_entry *entries, fv_cpu_state cpu, const char *environment, fv_decision *decision) {
    int32_t limit;
    int32_t chosen = -1;
    read_environment(entries, environment, decision);
    limit = cap_index(entries, decision->cap);
    decision->detected = cpu.usable;
    decision->features = cpu.usable & ~FV_CPU_ON_REQUEST;
    if (decision->status == FOVEA_OK) {
        request_features(entries, cpu, limit, decision);
        chosen = fv_decide_best(entries, decision->features, decision->cap, FOVEA_ISA_AUTO);
    }
    decision->chosen = chosen >= 0 ? entries[chosen].backend : NULL;
    for (int32_t i = 0; i < FV_ISA_COUNT; i++)
        explain(entries, i, chosen, limit, cpu, decision, decision->reasons[i], sizeof decision->reasons[i]);
}
