#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cli/npy.h"
#include "targets.h"

static void check_reason(const npy_error *error) {
    const size_t length = strnlen(error->text, sizeof error->text);
    ck_assert_uint_gt(length, 0);
    ck_assert_uint_lt(length, sizeof error->text);
    for (size_t i = 0; i < length; i++) {
        ck_assert_msg(error->text[i] >= ' ' && error->text[i] <= '~', "an unprintable reason");
    }
}

static void check_header(const npy_header *header, size_t size) {
    ck_assert_uint_eq(header->data_offset + header->data_size, size);
    ck_assert_int_ge(header->rank, 0);
    ck_assert_int_le(header->rank, NPY_MAX_RANK);
    ck_assert_uint_eq(header->data_size, (uint64_t)header->count * npy_type_size(header->type));
    ck_assert_ptr_nonnull(npy_type_name(header->type));
}

/* From a copy of exactly this size, so that a sanitizer sees a byte read too far. */
static bool parse(const uint8_t *bytes, size_t size, npy_header *header) {
    npy_error error = {""};
    unsigned char *exact = malloc(size > 0 ? size : 1);
    ck_assert_ptr_nonnull(exact);
    memcpy(exact, bytes, size);
    const bool parsed = npy_parse_header(exact, size, size, header, &error);
    free(exact);
    if (parsed) {
        check_header(header, size);
    } else {
        check_reason(&error);
    }
    return parsed;
}

/* As a file, the bytes are accepted or refused as they are in memory, and hold the same elements. */
static void check_file(const char *path, const uint8_t *bytes, bool parsed, const npy_header *header) {
    npy_array array;
    npy_error error = {""};
    ck_assert_int_eq(npy_load(path, &array, &error), parsed ? NPY_OK : NPY_BAD_FILE);
    if (parsed) {
        ck_assert_mem_eq(array.data, bytes + header->data_offset, header->data_size);
    } else {
        check_reason(&error);
    }
    npy_free(&array);
}

/* What was read is written so that it reads the same. */
static void check_round_trip(const uint8_t *bytes, const npy_header *header) {
    char *written = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&written, &size);
    ck_assert_ptr_nonnull(stream);
    ck_assert(npy_write(stream, header->type, header->rank, header->shape, bytes + header->data_offset));
    ck_assert_int_eq(fclose(stream), 0);
    npy_header again;
    ck_assert(parse((const uint8_t *)written, size, &again));
    ck_assert_int_eq(again.type, header->type);
    ck_assert_int_eq(again.rank, header->rank);
    ck_assert_mem_eq(again.shape, header->shape, (size_t)header->rank * sizeof *header->shape);
    ck_assert_mem_eq(written + again.data_offset, bytes + header->data_offset, header->data_size);
    free(written);
}

void fuzz_npy(const uint8_t *bytes, size_t size) {
    npy_header header;
    const bool parsed = parse(bytes, size, &header);
    if (parsed) {
        check_round_trip(bytes, &header);
    }
    const int file = memfd_create("fuzz", MFD_CLOEXEC);
    ck_assert_int_ge(file, 0);
    ck_assert_int_eq(write(file, bytes, size), (ssize_t)size);
    char path[40];
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    check_file(path, bytes, parsed, &header);
    close(file);
}
