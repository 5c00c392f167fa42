/* The .npy reader: what it accepts, what it refuses and why, and that no file can make it read or allocate too much. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/npy.h"
#include "support/random.h"

/* A file in memory. Parsing gets a copy of exactly this size, so that sanitizers see every byte read too far. */
typedef struct image {
    unsigned char bytes[2048];
    size_t size;
} image;

static image image_of(int version, const char *header, size_t data_size) {
    image f = {.bytes = {0x93, 'N', 'U', 'M', 'P', 'Y', (unsigned char)version, 0}};
    size_t length = strlen(header), width = version == 1 ? 2 : 4;
    for (size_t i = 0; i < width; i++)
        f.bytes[8 + i] = (unsigned char)(length >> (8 * i));
    memcpy(f.bytes + 8 + width, header, length);
    f.size = 8 + width + length + data_size;
    ck_assert_uint_le(f.size, sizeof f.bytes);
    return f;
}

static bool parse(const image *f, npy_header *header, npy_error *error) {
    unsigned char *exact = malloc(f->size ? f->size : 1);
    ck_assert_ptr_nonnull(exact);
    memcpy(exact, f->bytes, f->size);
    error->text[0] = '\0';
    bool ok = npy_parse_header(exact, f->size, f->size, header, error);
    free(exact);
    return ok;
}

#define PLAIN "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n"

START_TEST(accepted) {
    static const struct {
        const char *header;
        size_t data;
        npy_type type;
        int32_t rank;
        int64_t count;
    } cases[] = {
        {PLAIN, 24, NPY_F32, 2, 6},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (), }   \n", 4, NPY_F32, 0, 1},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (5,)}", 20, NPY_F32, 1, 5},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (5L,)}", 20, NPY_F32, 1, 5},
        {"{\"shape\": (2, 2,), \"fortran_order\": False, \"descr\": \"<f4\"}", 16, NPY_F32, 2, 4},
        {"{'descr':'|b1','fortran_order':False,'shape':(3,1)}", 3, NPY_BOOL, 2, 3},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (0, 7), }", 0, NPY_U8, 2, 0},
        {"{'descr': '<i4', 'fortran_order': False, 'shape': (1, 1, 2), }", 8, NPY_I32, 3, 2},
        {"{'descr': '<i8', 'fortran_order': False, 'shape': (1, 1, 1, 1, 1, 1, 1, 2), }", 16, NPY_I64, 8, 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (int version = 1; version <= 3; version++) {
            npy_header h;
            npy_error error;
            const image f = image_of(version, cases[i].header, cases[i].data);
            ck_assert_msg(parse(&f, &h, &error), "%s: %s", cases[i].header, error.text);
            ck_assert_int_eq(h.type, cases[i].type);
            ck_assert_int_eq(h.rank, cases[i].rank);
            ck_assert_int_eq(h.count, cases[i].count);
            ck_assert_uint_eq(h.data_offset + h.data_size, f.size);
            ck_assert_uint_eq(h.data_size, cases[i].data);
        }
    }
}
END_TEST

START_TEST(refused) {
#define WITH(descr, order, shape) "{'descr': " descr ", 'fortran_order': " order ", 'shape': " shape "}"
    static const struct {
        const char *header;
        const char *reason;
    } cases[] = {
        {"", "'{' expected"},
        {"{", "string expected"},
        {"{}", "is missing"},
        {"{'descr': '<f4', 'fortran_order': False}", "is missing"},
        {"{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", "twice"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'x': 1}", "unknown key"},
        {"{'descr': '<f4' 'fortran_order': False, 'shape': (1,)}", "',' expected"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} x", "after the dictionary"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,)", "',' expected"},
        {"{'descr', '<f4'}", "':' expected"},
        {"{'descr: '<f4'}", "':' expected"},
        {"{'descr", "does not end"},
        {"{'de\\x73cr': '<f4'}", "plain string"},
        {WITH("'>f4'", "False", "(1,)"), "big-endian"},
        {WITH("'|f4'", "False", "(1,)"), "cannot be read"},
        {WITH("'=f4'", "False", "(1,)"), "cannot be read"},
        {WITH("''", "False", "(1,)"), "cannot be read"},
        {WITH("'f4'", "False", "(1,)"), "cannot be read"},
        {WITH("'<f8'", "False", "(1,)"), "float64"},
        {WITH("'<f2'", "False", "(1,)"), "float16"},
        {WITH("'|O'", "False", "(1,)"), "cannot be read"},
        {WITH("'<U9999999999999999999999999999999999999'", "False", "(1,)"), "short, plain string"},
        {WITH("[('a', '<f4')]", "False", "(1,)"), "structured"},
        {WITH("'<f4'", "True", "(1,)"), "Fortran"},
        {WITH("'<f4'", "0", "(1,)"), "neither True nor False"},
        {WITH("'<f4'", "False", "(3)"), "not a tuple"},
        {WITH("'<f4'", "False", "[3]"), "'(' expected"},
        {WITH("'<f4'", "False", "(-1,)"), "non-negative"},
        {WITH("'<f4'", "False", "(0x2,)"), "',' expected"},
        {WITH("'<f4'", "False", "(2 3)"), "',' expected"},
        {WITH("'<f4'", "False", "(1.5,)"), "',' expected"},
        {WITH("'<f4'", "False", "(,)"), "non-negative"},
        {WITH("'<f4'", "False", "(1, 1, 1, 1, 1, 1, 1, 1, 1)"), "more than 8"},
        {WITH("'<f4'", "False", "(9223372036854775808,)"), "absurd"},
        {WITH("'<f4'", "False", "(99999999999999999999999999,)"), "absurd"},
        {WITH("'<f4'", "False", "(4611686018427387904,)"), "absurd"},
        {WITH("'<f4'", "False", "(4294967296, 4294967296)"), "absurd"},
        {WITH("'<f4'", "False", "(4294967296, 4294967296, 0)"), "absurd"},
        {WITH("'<f4'", "False", "(1099511627776,)"), "truncated"},
        {WITH("'<f4'", "False", "(2,)"), "truncated"},
        {WITH("'<f4'", "False", "(0,)"), "4 bytes follow"},
    };
#undef WITH
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        npy_header h;
        npy_error error;
        const image f = image_of(1, cases[i].header, 4);
        ck_assert_msg(!parse(&f, &h, &error), "%s was accepted", cases[i].header);
        ck_assert_msg(strstr(error.text, cases[i].reason), "%s: '%s' does not say '%s'", cases[i].header, error.text,
                      cases[i].reason);
    }
}
END_TEST

START_TEST(prefix) {
    static const struct {
        unsigned char bytes[12];
        size_t size;
        const char *reason;
    } cases[] = {
        {"", 0, "not a .npy"},
        {"\x93NUMPY\x01", 7, "not a .npy"},
        {"\x93NUMPX\x01\x00", 8, "not a .npy"},
        {"PK\x03\x04\x00\x00\x00\x00", 8, "not a .npy"},
        {"\x93NUMPY\x00\x00", 8, "version 0.0"},
        {"\x93NUMPY\x04\x00", 8, "version 4.0"},
        {"\x93NUMPY\x01\x01", 8, "version 1.1"},
        {"\x93NUMPY\x01\x00", 9, "length is missing"},
        {"\x93NUMPY\x02\x00\x01\x00", 11, "length is missing"},
        {"\x93NUMPY\x01\x00\x10\x00", 10, "truncated"},
        {"\x93NUMPY\x02\x00\xff\xff\xff\xff", 12, "truncated"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        npy_header h;
        npy_error error;
        image f = {.size = cases[i].size};
        memcpy(f.bytes, cases[i].bytes, cases[i].size);
        ck_assert_msg(!parse(&f, &h, &error), "case %zu was accepted", i);
        ck_assert_msg(strstr(error.text, cases[i].reason), "case %zu: %s", i, error.text);
    }
}
END_TEST

/* A header longer than the limit is refused even if the file is as long as it says. */
START_TEST(long_header) {
    npy_header h;
    npy_error error;
    const size_t size = 12 + NPY_MAX_HEADER + 1;
    unsigned char *bytes = malloc(size);
    ck_assert_ptr_nonnull(bytes);
    memset(bytes, ' ', size);
    memcpy(bytes, "\x93NUMPY\x02\x00\x01\x00\x01\x00", 12);
    ck_assert(!npy_parse_header(bytes, size, size, &h, &error));
    ck_assert_ptr_nonnull(strstr(error.text, "too long"));
    free(bytes);
}
END_TEST

/* No prefix of a file is a file, nor is a file with something behind it. */
START_TEST(every_length) {
    npy_header h;
    npy_error error;
    image f = image_of(1, PLAIN, 24);
    const size_t whole = f.size;
    for (f.size = 0; f.size < whole + 40; f.size++) {
        ck_assert_msg(parse(&f, &h, &error) == (f.size == whole), "length %zu of %zu", f.size, whole);
        ck_assert(f.size == whole || *error.text);
    }
}
END_TEST

/* Every byte of prefix and header changed to every value: whatever is accepted is consistent. */
START_TEST(every_byte) {
    const image good = image_of(1, PLAIN, 24);
    for (size_t at = 0; at < good.size - 24; at++) {
        for (int value = 0; value < 256; value++) {
            npy_header h;
            npy_error error;
            image f = good;
            f.bytes[at] = (unsigned char)value;
            if (!parse(&f, &h, &error)) {
                ck_assert(*error.text);
                for (const char *c = error.text; *c; c++)
                    ck_assert(*c >= 0x20 && *c <= 0x7e);
                continue;
            }
            ck_assert_uint_eq(h.data_size, (uint64_t)h.count * npy_type_size(h.type));
            ck_assert_uint_eq(h.data_offset + h.data_size, f.size);
        }
    }
}
END_TEST

/* Pieces of headers in random order: the parser meets its own vocabulary where it does not expect it. */
START_TEST(random_headers) {
    static const char *const pieces[] = {
        "{",    "}", "'descr'", "'fortran_order'",     "'shape'", ":", ",",  "(", ")",  "'<f4'", "False",
        "True", "2", "3",       "9223372036854775807", " ",       "'", "\"", "[", "\n", "L"};
    enum { PIECES = sizeof pieces / sizeof *pieces };
    test_random random = test_random_named("npy", 0);
    for (int64_t round = test_scaled(20000); round > 0; round--) {
        char header[512] = "";
        npy_header h;
        npy_error error;
        if (random_chance(&random, 0.5))
            strcpy(header, "{'descr': '<f4', 'fortran_order': False, 'shape': ");
        for (int64_t left = random_between(&random, 0, 19); left > 0; left--)
            strcat(header, pieces[random_between(&random, 0, PIECES - 1)]);
        const image f =
            image_of((int)random_between(&random, 1, 3), header, (size_t)random_between(&random, 0, 2) * 12);
        if (parse(&f, &h, &error))
            ck_assert_uint_eq(h.data_offset + (uint64_t)h.count * 4, f.size);
    }
}
END_TEST

/* A folder of its own for every test that needs files. */
static char folder[] = "/tmp/fovea-npy-XXXXXX";
static char path[64];

static void make_folder(void) {
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/a.npy", folder);
}

static void remove_folder(void) {
    unlink(path);
    rmdir(folder);
}

START_TEST(round_trip) {
    static const int64_t shapes[][4] = {{2, 3, 4, 5}, {0, 3, 1, 1}, {1, 1, 1, 1}, {7, 1, 1, 2}};
    unsigned char data[120 * 8];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (unsigned char)(i * 37);
    for (int type = NPY_F32; type <= NPY_I64; type++) {
        for (int32_t rank = 0; rank <= 4; rank++) {
            const int64_t *shape = shapes[(type + rank) % 4];
            npy_array a;
            npy_error error;
            FILE *file = fopen(path, "wb");
            ck_assert_ptr_nonnull(file);
            ck_assert(npy_write(file, (npy_type)type, rank, shape, data));
            ck_assert_int_eq(fclose(file), 0);
            ck_assert_msg(npy_load(path, &a, &error) == NPY_OK, "%s", error.text);
            ck_assert_int_eq(a.header.type, type);
            ck_assert_int_eq(a.header.rank, rank);
            ck_assert_mem_eq(a.header.shape, shape, (size_t)rank * sizeof *shape);
            ck_assert_uint_eq(a.header.data_offset % 64, 0);
            ck_assert_mem_eq(a.data, data, (size_t)a.header.data_size);
            npy_free(&a);
        }
    }
}
END_TEST

static void check_unreadable(const char *name, const char *reason) {
    npy_array a;
    npy_error error;
    ck_assert_int_eq(npy_load(name, &a, &error), NPY_BAD_FILE);
    ck_assert_msg(strstr(error.text, reason), "%s", error.text);
    ck_assert_ptr_null(a.data);
}

START_TEST(no_regular_file) {
    check_unreadable(path, "No such file");
    check_unreadable(folder, "not a regular file");
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    check_unreadable(path, "not a regular file");
}
END_TEST

/* A short file that promises a terabyte is refused, not allocated for. */
START_TEST(promises) {
    const image f = image_of(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (274877906944,)}", 100);
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(f.bytes, 1, f.size, file), f.size);
    ck_assert_int_eq(fclose(file), 0);
    check_unreadable(path, "truncated: 100 bytes of data where the shape needs 1099511627776");
}
END_TEST

Suite *npy_suite(void);

Suite *npy_suite(void) {
    Suite *suite = suite_create("npy");
    TCase *headers = tcase_create("headers");
    tcase_set_timeout(headers, 60);
    tcase_add_test(headers, accepted);
    tcase_add_test(headers, refused);
    tcase_add_test(headers, prefix);
    tcase_add_test(headers, long_header);
    tcase_add_test(headers, every_length);
    tcase_add_test(headers, every_byte);
    tcase_add_test(headers, random_headers);
    suite_add_tcase(suite, headers);
    TCase *files = tcase_create("files");
    tcase_add_checked_fixture(files, make_folder, remove_folder);
    tcase_add_test(files, round_trip);
    tcase_add_test(files, no_regular_file);
    tcase_add_test(files, promises);
    suite_add_tcase(suite, files);
    return suite;
}
