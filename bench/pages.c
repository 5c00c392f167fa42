#include "pages.h"

#include <assert.h>
#include <string.h>
#include <sys/mman.h>

static const size_t huge_page = (size_t)2 << 20;

int32_t bench_pages_map(bench_pages *pages, size_t size, int32_t huge) {
    const size_t mapping_size = size + 2 * huge_page;
    void *mapping = mmap(NULL, mapping_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapping == MAP_FAILED)
        return 0;
    /* Asking may fail where the system has no choice to offer; the case then runs on what there is. */
    (void)madvise(mapping, mapping_size, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
    unsigned char *begin = (unsigned char *)(((uintptr_t)mapping + huge_page - 1) & ~(uintptr_t)(huge_page - 1));
    memset(begin, 0, size);
    *pages = (bench_pages){mapping, mapping_size, begin, size, 0};
    return 1;
}

void bench_pages_unmap(bench_pages *pages) {
    if (pages->mapping)
        munmap(pages->mapping, pages->mapping_size);
    *pages = (bench_pages){0};
}

void *bench_pages_cut(bench_pages *pages, size_t bytes) {
    assert(bench_page_round(bytes) <= pages->size - pages->used);
    void *cut = pages->begin + pages->used;
    pages->used += bench_page_round(bytes);
    return cut;
}
