#include "case.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/dispatch.h"

int32_t bench_backend_allowed(const fv_backend *backend, char *reason, size_t reason_size) {
    const fv_backend *chosen = NULL;
    if (fv_dispatch(backend->isa, &chosen) == FOVEA_OK && chosen == backend)
        return 1;
    snprintf(reason, reason_size, "FOVEA_ISA excludes %s", backend->name);
    return 0;
}

void bench_list_add(bench_list *list, const bench_case *item, const char *group, const char *exp, const char *row) {
    if (list->count == list->capacity) {
        list->capacity = list->capacity ? 2 * list->capacity : 256;
        list->items = realloc(list->items, (size_t)list->capacity * sizeof list->items[0]);
        if (!list->items) {
            fputs("fovea-bench: out of memory\n", stderr);
            exit(1);
        }
    }
    bench_case *added = &list->items[list->count++];
    *added = *item;
    added->exp = exp ? exp : "-";
    const int32_t length =
        exp ? snprintf(added->name, sizeof added->name, "%s/%s/%s/%s", group, item->backend->name, exp, row)
            : snprintf(added->name, sizeof added->name, "%s/%s/%s", group, item->backend->name, row);
    if (length < 0 || (size_t)length >= sizeof added->name) {
        fprintf(stderr, "fovea-bench: the name of row %s is too long\n", row);
        exit(1);
    }
    added->row_offset = length - (int32_t)strlen(row);
}
