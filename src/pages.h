/* Keys in pages: which page holds a key, and which keys lie in one page. */
#ifndef FOVEA_SRC_PAGES_H
#define FOVEA_SRC_PAGES_H

#include <stdint.h>

#include "src/index.h"

/* One sequence's pages. */
typedef struct fv_pages {
    /* Tokens of a page; 0: there are no pages, and keys are numbered through. */
    int64_t size;
    /* log2(size), or -1 if it is no power of two. */
    int32_t shift;
    /* The sequence's row of the block table; entries are stride elements apart. */
    fovea_index_type type;
    const void *table;
    int64_t stride;
} fv_pages;

/* Where a key lies. */
typedef struct fv_page_place {
    int64_t page;
    int64_t token;
} fv_page_place;

static inline int64_t fv_page_index(const fv_pages *pages, int64_t key) {
    return pages->shift >= 0 ? key >> pages->shift : key / pages->size;
}

static inline fv_page_place fv_place_of_key(const fv_pages *pages, int64_t key) {
    if (pages->size == 0)
        return (fv_page_place){0, key};
    int64_t index = fv_page_index(pages, key);
    return (fv_page_place){fv_index_at(pages->table, pages->type, index * pages->stride), key - index * pages->size};
}

/* How many of the keys [key, end) lie in one page with the first. */
static inline int64_t fv_keys_in_page(const fv_pages *pages, int64_t key, int64_t end) {
    if (pages->size == 0)
        return end - key;
    int64_t page_end = (fv_page_index(pages, key) + 1) * pages->size;
    return (page_end < end ? page_end : end) - key;
}

#endif
