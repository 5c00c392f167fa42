#include "guard.h"

#include <check.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { CANARY = 0xa5 };

size_t test_page_size(void) {
    return (size_t)sysconf(_SC_PAGESIZE);
}

guarded guarded_create(size_t size, size_t alignment, guard_side side) {
    const size_t page = test_page_size();
    const size_t inner = (size + page - 1) / page * page + (size == 0 ? page : 0);
    guarded memory = {.size = size, .pages_size = inner + 2 * page};
    memory.pages = mmap(NULL, memory.pages_size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert_msg(memory.pages != MAP_FAILED, "no memory for a guarded buffer of %zu bytes", size);
    unsigned char *inside = memory.pages + page;
    ck_assert_int_eq(mprotect(inside, inner, PROT_READ | PROT_WRITE), 0);
    const size_t offset = side == GUARD_AFTER ? (inner - size) & ~(alignment - 1) : 0;
    memory.data = inside + offset;
    memset(inside, CANARY, offset);
    memset(inside + offset + size, CANARY, inner - offset - size);
    return memory;
}

static bool all_canaries(const unsigned char *bytes, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (bytes[i] != CANARY) {
            return false;
        }
    }
    return true;
}

bool guarded_intact(const guarded *memory) {
    const size_t page = test_page_size();
    const unsigned char *begin = memory->pages + page;
    const unsigned char *end = memory->pages + memory->pages_size - page;
    const unsigned char *data = memory->data;
    return all_canaries(begin, (size_t)(data - begin)) &&
           all_canaries(data + memory->size, (size_t)(end - data) - memory->size);
}

static void protect(unsigned char *begin, size_t size, int protection) {
    if (size > 0) {
        ck_assert_int_eq(mprotect(begin, size, protection), 0);
    }
}

static void protect_inside(const guarded *memory, int protection) {
    const size_t page = test_page_size();
    protect(memory->pages + page, memory->pages_size - 2 * page, protection);
}

void guarded_make_read_only(const guarded *memory) {
    protect_inside(memory, PROT_READ);
}

void guarded_make_writable(const guarded *memory) {
    protect_inside(memory, PROT_READ | PROT_WRITE);
}

void guarded_forbid(const guarded *memory, size_t begin, size_t size) {
    const uintptr_t page = test_page_size();
    const uintptr_t start = (uintptr_t)memory->data + begin;
    const uintptr_t first = (start + page - 1) / page * page;
    const uintptr_t last = (start + size) / page * page;
    if (last > first) {
        protect((unsigned char *)first, last - first, PROT_NONE);
    }
}

void guarded_destroy(guarded *memory) {
    if (memory->pages) {
        munmap(memory->pages, memory->pages_size);
    }
    *memory = (guarded){0};
}
