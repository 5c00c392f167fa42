#include "backends.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/dispatch.h"

static bool is_wanted(const fv_backend *backend) {
    const char *only = getenv("FOVEA_TEST_BACKEND");
    return !only || strcmp(only, backend->name) == 0;
}

const fv_backend *backend_at(int32_t index) {
    for (int32_t i = 0; fv_backend_at(i); i++) {
        if (fv_backend_runs(fv_backend_at(i)) && is_wanted(fv_backend_at(i)) && index-- == 0) {
            return fv_backend_at(i);
        }
    }
    return NULL;
}

int32_t backend_count(void) {
    int32_t count = 0;
    while (backend_at(count)) {
        count++;
    }
    return count;
}

const fv_backend *backend_base_of(int32_t index, fovea_type type_kv) {
    const fv_backend *extended = backend_at(index), *base = index > 0 ? backend_at(index - 1) : NULL;
    const bool inherits = base && extended->panel == base->panel && extended->row == base->row &&
                          extended->convert == base->convert && extended->read[type_kv] == base->read[type_kv];
    return inherits ? base : NULL;
}

bool backend_has_base(fovea_isa isa, fovea_type type_kv) {
    for (int32_t i = 0; i < backend_count(); i++) {
        if (backend_at(i)->isa == isa) {
            return backend_base_of(i, type_kv) != NULL;
        }
    }
    return false;
}

int32_t backend_case_count(void) {
    return 2 * backend_count();
}

backend_case backend_case_at(int32_t index) {
    backend_case self = {.backend = backend_at(index / 2), .exp = index % 2 ? FOVEA_EXP_FUSED : FOVEA_EXP_SLEEF};
    snprintf(self.name, sizeof self.name, "%s, %s", self.backend->name, index % 2 ? "fused" : "sleef");
    return self;
}

fovea_isa backend_any_cap(test_random *random) {
    int32_t built = 0;
    while (fv_backend_at(built)) {
        built++;
    }
    const fv_backend *backend = fv_backend_at((int32_t)random_between(random, 0, built));
    return backend ? backend->isa : FOVEA_ISA_AUTO;
}

bool backends_report(void) {
    printf("Backends:");
    for (int32_t i = 0; i < backend_count(); i++) {
        printf(" %s", backend_at(i)->name);
    }
    printf("\n");
    if (backend_count() == 0) {
        fprintf(stderr, "this processor or this build lacks the backend %s\n", getenv("FOVEA_TEST_BACKEND"));
    }
    return backend_count() > 0;
}
