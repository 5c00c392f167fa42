/* NumPy's .npy files: a strict reader that trusts nothing in the file, and a writer.
 *
 * Format (NumPy Enhancement Proposal 1 and numpy.lib.format): the bytes 0x93 "NUMPY", a version (1.0, 2.0 or 3.0), the
 * length of the header (2 bytes in version 1.0, else 4, little-endian), the header, the data. The header is the text of
 * a Python dictionary with exactly the keys 'descr', 'fortran_order' and 'shape', padded with spaces.
 *
 * Read are little-endian arrays in C order of the types below. Everything else is an error with a reason, and so is a
 * file that is longer or shorter than its header says. */
#ifndef FOVEA_CLI_NPY_H
#define FOVEA_CLI_NPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef enum npy_type { NPY_F32, NPY_BOOL, NPY_U8, NPY_I32, NPY_I64 } npy_type;

/* NumPy itself allows 32 or 64; nothing here has more than four. */
enum { NPY_MAX_RANK = 8 };

/* A longer header is refused; the text of a plain array needs less than 200 bytes. */
enum { NPY_MAX_HEADER = 65536 };

/* What a header says, checked: the sizes fit the file and each other. */
typedef struct npy_header {
    npy_type type;
    int32_t rank;
    int64_t shape[NPY_MAX_RANK];
    /* Product of the shape. */
    int64_t count;
    /* Where the elements lie in the file, in bytes. */
    uint64_t data_offset;
    uint64_t data_size;
} npy_header;

typedef struct npy_array {
    npy_header header;
    /* The elements, in C order, aligned for any type; never NULL after npy_load. */
    void *data;
} npy_array;

/* One line without a newline, made of printable ASCII. */
typedef struct npy_error {
    char text[200];
} npy_error;

typedef enum npy_status { NPY_OK, NPY_BAD_FILE, NPY_OUT_OF_MEMORY } npy_status;

/* Parses the start of a file of `file_size` bytes; pure. `bytes` holds its first `available` bytes: all of them, or at
 * least NPY_MAX_HEADER + 12. False: *error says why, *header is unspecified. */
bool npy_parse_header(const unsigned char *bytes, size_t available, uint64_t file_size, npy_header *header,
                      npy_error *error);

/* Reads a file. Allocates no more than its size (and at least one byte); npy_free gives it back. */
npy_status npy_load(const char *path, npy_array *array, npy_error *error);

/* Gives the data back; a zeroed array is fine. */
void npy_free(npy_array *array);

/* Writes a version 1.0 file. False: errno says why. */
bool npy_write(FILE *file, npy_type type, int32_t rank, const int64_t *shape, const void *data);

/* "float32"; static. */
const char *npy_type_name(npy_type type);

size_t npy_type_size(npy_type type);

#endif
