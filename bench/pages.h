/* Memory of a case: one mapping with the kind of pages that was asked for, from which all its tensors are cut. */
#ifndef FOVEA_BENCH_PAGES_H
#define FOVEA_BENCH_PAGES_H

#include <stddef.h>
#include <stdint.h>

/* Every cut begins on a page, as the read probe needs. */
#define BENCH_PAGE ((size_t)4096)

typedef struct bench_pages {
    void *mapping;
    size_t mapping_size;
    unsigned char *begin;
    size_t size;
    size_t used;
} bench_pages;

/* Rounds a number of bytes up to whole pages. */
static inline size_t bench_page_round(size_t bytes) {
    return (bytes + BENCH_PAGE - 1) / BENCH_PAGE * BENCH_PAGE;
}

/* Maps zeroed memory for cuts that add up to `size` after bench_page_round of each; non-zero on success. */
int32_t bench_pages_map(bench_pages *pages, size_t size, int32_t huge);

void bench_pages_unmap(bench_pages *pages);

/* The next `bytes`. What was mapped is enough for what was announced. */
void *bench_pages_cut(bench_pages *pages, size_t bytes);

#endif
