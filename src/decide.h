/* The decision which backend a process uses, as a function of what is built in, what the processor offers and
 * FOVEA_ISA: pure but for the request it may make, so that tests can play builds, processors and environments. */
#ifndef FOVEA_SRC_DECIDE_H
#define FOVEA_SRC_DECIDE_H

#include <stddef.h>
#include <stdint.h>

#include "arch/kernel.h"
#include "fovea/isa.h"
#include "fovea/status.h"

/* Instruction sets that fovea knows: the lines of backends.def. */
enum {
    FV_ISA_COUNT = 0
#define FV_BACKEND(name, isa, architecture, required, advised) +1
#include "arch/backends.def"
#undef FV_BACKEND
};

/* One instruction set, as this build sees it. Entries stand in order of rank. */
typedef struct fv_isa_entry {
    const char *name;
    fovea_isa isa;
    /* Non-zero: this architecture's, or any's. */
    int32_t native;
    /* FV_CPU_* bits: without the latter an entry runs, but another is faster. */
    uint32_t required;
    uint32_t advised;
    /* NULL: not built in. */
    const fv_backend *backend;
} fv_isa_entry;

/* What the processor has, and what of it the operating system supports too; FV_CPU_* bits. */
typedef struct fv_cpu_state {
    uint32_t present;
    uint32_t usable;
    /* Asks for some of FV_CPU_ON_REQUEST and returns those that are refused. Called at most once, and only for what a
     * built-in backend within the process's cap requires, for a permission changes the process. May be NULL if `usable`
     * has nothing that is on request. */
    uint32_t (*request)(uint32_t features);
} fv_cpu_state;

typedef struct fv_decision {
    /* FOVEA_INVALID with `failure` if the environment names no backend of this build; nothing is chosen then. */
    fovea_status status;
    char failure[200];
    /* What the processor and the operating system offer, and what of it this process may use: not what is on request
     * and was not requested. */
    uint32_t detected;
    uint32_t features;
    /* The environment's cap, or FOVEA_ISA_AUTO. */
    fovea_isa cap;
    /* NULL only with a failure. */
    const fv_backend *chosen;
    /* fovea_isa_info.reason of each entry. */
    char reasons[FV_ISA_COUNT][128];
} fv_decision;

/* Decides over `entries` (FV_ISA_COUNT of them). `environment` is the value of FOVEA_ISA; NULL, empty and "auto": no
 * cap. */
void fv_decide(const fv_isa_entry *entries, fv_cpu_state cpu, const char *environment, fv_decision *decision);

/* The best entry that is built in, runs with `features` and does not outrank either cap, by index; -1 if there is none.
 * One that lacks advised features counts only if a cap names it. */
int32_t fv_decide_best(const fv_isa_entry *entries, uint32_t features, fovea_isa cap, fovea_isa other_cap);

/* The index of a name, or -1. */
int32_t fv_decide_find(const fv_isa_entry *entries, const char *name);

/* Non-zero if the architecture is right and `features` hold all that the entry requires. */
int32_t fv_decide_runs(const fv_isa_entry *entry, uint32_t features);

/* Why an entry without a backend has none. Static. */
const char *fv_decide_absence(const fv_isa_entry *entry);

/* Room for the names of all entries. */
enum { FV_DECIDE_NAMES_SIZE = 96 };

/* The names of the entries, or of the built-in ones, separated by commas. */
void fv_decide_names(const fv_isa_entry *entries, int32_t built_in_only, char *text, size_t size);

/* This build's entries. */
const fv_isa_entry *fv_isa_entries(void);

/* This process's decision, made on first use; thread-safe. */
const fv_decision *fv_process_decision(void);

#endif
