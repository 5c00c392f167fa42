#include "npy.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static npy_status fail(npy_status status, npy_error *error, const char *text) {
    snprintf(error->text, sizeof error->text, "%s", text);
    return status;
}

/* Exactly `size` bytes from `offset`. */
static npy_status read_at(int file, void *buffer, size_t size, uint64_t offset, npy_error *error) {
    size_t done = 0;
    while (done < size) {
        ssize_t n = pread(file, (char *)buffer + done, size - done, (off_t)(offset + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail(NPY_BAD_FILE, error, strerror(errno));
        if (n == 0)
            return fail(NPY_BAD_FILE, error, "became shorter while it was read");
        done += (size_t)n;
    }
    return NPY_OK;
}

static npy_status read_header(int file, uint64_t file_size, npy_header *header, npy_error *error) {
    size_t limit = NPY_MAX_HEADER + 12;
    size_t size = file_size < limit ? (size_t)file_size : limit;
    unsigned char *bytes = malloc(size ? size : 1);
    if (!bytes)
        return fail(NPY_OUT_OF_MEMORY, error, "out of memory");
    npy_status status = read_at(file, bytes, size, 0, error);
    if (status == NPY_OK && !npy_parse_header(bytes, size, file_size, header, error))
        status = NPY_BAD_FILE;
    free(bytes);
    return status;
}

static npy_status load(int file, npy_array *array, npy_error *error) {
    struct stat about;
    if (fstat(file, &about) != 0)
        return fail(NPY_BAD_FILE, error, strerror(errno));
    /* The size must be known before anything is believed. */
    if (!S_ISREG(about.st_mode))
        return fail(NPY_BAD_FILE, error, "not a regular file");
    npy_status status = read_header(file, (uint64_t)about.st_size, &array->header, error);
    if (status != NPY_OK)
        return status;
    const npy_header *header = &array->header;
    array->data = header->data_size <= SIZE_MAX ? malloc(header->data_size ? (size_t)header->data_size : 1) : NULL;
    if (!array->data)
        return fail(NPY_OUT_OF_MEMORY, error, "out of memory");
    status = read_at(file, array->data, (size_t)header->data_size, header->data_offset, error);
    if (status != NPY_OK)
        npy_free(array);
    return status;
}

npy_status npy_load(const char *path, npy_array *array, npy_error *error) {
    memset(array, 0, sizeof *array);
    /* Not blocking, so that a FIFO without a writer is refused and not waited for. */
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0)
        return fail(NPY_BAD_FILE, error, strerror(errno));
    npy_status status = load(file, array, error);
    close(file);
    return status;
}

void npy_free(npy_array *array) {
    free(array->data);
    array->data = NULL;
}

bool npy_write(FILE *file, npy_type type, int32_t rank, const int64_t *shape, const void *data) {
    static const char *const descr[] = {
        [NPY_F32] = "<f4", [NPY_BOOL] = "|b1", [NPY_U8] = "|u1", [NPY_I32] = "<i4", [NPY_I64] = "<i8",
    };
    char text[64 + NPY_MAX_RANK * 24];
    int length = snprintf(text, sizeof text, "{'descr': '%s', 'fortran_order': False, 'shape': (", descr[type]);
    size_t count = 1;
    for (int32_t i = 0; i < rank; i++) {
        length += snprintf(text + length, sizeof text - (size_t)length, "%" PRId64 "%s", shape[i],
                           rank == 1 ? "," : (i + 1 < rank ? ", " : ""));
        count *= (size_t)shape[i];
    }
    length += snprintf(text + length, sizeof text - (size_t)length, "), }");

    /* Prefix, text, spaces and a newline fill a multiple of 64, as the format recommends. */
    const int prefix = 10, padded = (prefix + length + 1 + 63) / 64 * 64 - prefix;
    const unsigned char head[] = {
        0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, (unsigned char)(padded & 0xff), (unsigned char)(padded >> 8)};
    return fwrite(head, 1, sizeof head, file) == sizeof head &&
           fprintf(file, "%s%*s\n", text, padded - length - 1, "") == padded &&
           fwrite(data, npy_type_size(type), count, file) == count;
}
