/* The header of a .npy file. Everything here works on bytes of unknown origin: no byte is read without a check that it
 * exists, and no product is formed without a check that it fits. */
#include "npy.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

/* The files are little-endian, and elements are used as they lie in memory. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "a big-endian host would have to swap bytes");

static const struct {
    const char *code;
    const char *name;
    size_t size;
} types[] = {
    [NPY_F32] = {"f4", "float32", 4}, [NPY_BOOL] = {"b1", "bool", 1}, [NPY_U8] = {"u1", "uint8", 1},
    [NPY_I32] = {"i4", "int32", 4},   [NPY_I64] = {"i8", "int64", 8},
};

const char *npy_type_name(npy_type type) {
    return types[type].name;
}

size_t npy_type_size(npy_type type) {
    return types[type].size;
}

/* The part of the header that has not been parsed yet. */
typedef struct cursor {
    const char *at;
    const char *end;
    npy_error *error;
} cursor;

static bool fail(npy_error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

static bool fail(npy_error *error, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    return false;
}

static void skip_space(cursor *c) {
    while (c->at < c->end && (*c->at == ' ' || *c->at == '\n' || *c->at == '\t' || *c->at == '\r'))
        c->at++;
}

/* Takes `symbol` after optional white space, if it comes next. */
static bool accept(cursor *c, char symbol) {
    skip_space(c);
    if (c->at == c->end || *c->at != symbol)
        return false;
    c->at++;
    return true;
}

static bool expect(cursor *c, char symbol) {
    return accept(c, symbol) || fail(c->error, "malformed header: '%c' expected", symbol);
}

/* Takes a word such as False. */
static bool accept_word(cursor *c, const char *word) {
    size_t length = strlen(word);
    skip_space(c);
    if ((size_t)(c->end - c->at) < length || memcmp(c->at, word, length) != 0)
        return false;
    c->at += length;
    return true;
}

/* A Python string without escapes, of printable ASCII, to text[0 ... size - 1]. */
static bool parse_string(cursor *c, char *text, size_t size) {
    skip_space(c);
    if (c->at == c->end || (*c->at != '\'' && *c->at != '"'))
        return fail(c->error, "malformed header: a string expected");
    char quote = *c->at++;
    size_t length = 0;
    while (c->at < c->end && *c->at != quote) {
        if (*c->at < 0x20 || *c->at > 0x7e || *c->at == '\\' || length + 1 == size)
            return fail(c->error, "malformed header: a short, plain string expected");
        text[length++] = *c->at++;
    }
    text[length] = '\0';
    if (c->at == c->end)
        return fail(c->error, "malformed header: a string does not end");
    c->at++;
    return true;
}

/* A length: decimal, with the L that Python 2 wrote. */
static bool parse_length(cursor *c, int64_t *value) {
    skip_space(c);
    if (c->at == c->end || *c->at < '0' || *c->at > '9')
        return fail(c->error, "malformed header: shape holds something other than non-negative integers");
    *value = 0;
    while (c->at < c->end && *c->at >= '0' && *c->at <= '9') {
        int64_t digit = *c->at++ - '0';
        if (__builtin_mul_overflow(*value, 10, value) || __builtin_add_overflow(*value, digit, value))
            return fail(c->error, "absurd shape: a dimension does not fit 63 bits");
    }
    if (c->at < c->end && *c->at == 'L')
        c->at++;
    return true;
}

/* A tuple of lengths. "(3)" is no tuple in Python. */
static bool parse_shape(cursor *c, npy_header *header) {
    bool comma = true;
    header->rank = 0;
    if (!expect(c, '('))
        return false;
    while (!accept(c, ')')) {
        if (!comma)
            return fail(c->error, "malformed header: ',' expected in shape");
        if (header->rank == NPY_MAX_RANK)
            return fail(c->error, "more than %d dimensions", NPY_MAX_RANK);
        if (!parse_length(c, &header->shape[header->rank]))
            return false;
        header->rank++;
        comma = accept(c, ',');
    }
    if (header->rank == 1 && !comma)
        return fail(c->error, "malformed header: shape is not a tuple");
    return true;
}

static bool parse_type(cursor *c, npy_type *type) {
    char text[32];
    skip_space(c);
    if (c->at < c->end && *c->at == '[')
        return fail(c->error, "structured arrays cannot be read");
    if (!parse_string(c, text, sizeof text))
        return false;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (!*text || strcmp(text + 1, types[i].code) != 0)
            continue;
        *type = (npy_type)i;
        if (text[0] == '<' || (types[i].size == 1 && (text[0] == '|' || text[0] == '>')))
            return true;
        if (text[0] == '>')
            return fail(c->error, "big-endian data ('%s') cannot be read: save it with .astype('<%s')", text,
                        types[i].code);
    }
    if (strcmp(text, "<f8") == 0 || strcmp(text, "<f2") == 0)
        return fail(c->error, "holds %s ('%s'): save it with .astype('float32')",
                    text[2] == '8' ? "float64" : "float16", text);
    return fail(c->error, "elements of type '%s' cannot be read; float32, bool, uint8, int32 and int64 can", text);
}

static bool parse_order(cursor *c) {
    if (accept_word(c, "False"))
        return true;
    if (accept_word(c, "True"))
        return fail(c->error, "Fortran order cannot be read: save it with numpy.ascontiguousarray");
    return fail(c->error, "malformed header: fortran_order is neither True nor False");
}

static bool parse_dictionary(cursor *c, npy_header *header) {
    enum { DESCR = 1, ORDER = 2, SHAPE = 4 };
    unsigned seen = 0;
    bool comma = true;
    if (!expect(c, '{'))
        return false;
    while (!accept(c, '}')) {
        char key[32];
        unsigned bit;
        if (!comma)
            return fail(c->error, "malformed header: ',' expected");
        if (!parse_string(c, key, sizeof key) || !expect(c, ':'))
            return false;
        if (strcmp(key, "descr") == 0)
            bit = DESCR;
        else if (strcmp(key, "fortran_order") == 0)
            bit = ORDER;
        else if (strcmp(key, "shape") == 0)
            bit = SHAPE;
        else
            return fail(c->error, "malformed header: unknown key '%s'", key);
        if (seen & bit)
            return fail(c->error, "malformed header: key '%s' twice", key);
        seen |= bit;
        if (!(bit == DESCR ? parse_type(c, &header->type) : bit == ORDER ? parse_order(c) : parse_shape(c, header)))
            return false;
        comma = accept(c, ',');
    }
    if (seen != (DESCR | ORDER | SHAPE))
        return fail(c->error, "malformed header: 'descr', 'fortran_order' or 'shape' is missing");
    skip_space(c);
    return c->at == c->end || fail(c->error, "malformed header: text after the dictionary");
}

/* Sizes in elements and bytes. Zeros are left out of the check, so that a shape like (2**62, 2**62, 0) is refused too.
 */
static bool measure(npy_header *header, npy_error *error) {
    int64_t bytes = (int64_t)types[header->type].size;
    header->count = 1;
    for (int32_t i = 0; i < header->rank; i++) {
        int64_t length = header->shape[i];
        if (length > 0 && __builtin_mul_overflow(bytes, length, &bytes))
            return fail(error, "absurd shape: its size in bytes does not fit 63 bits");
        header->count = length == 0 || header->count == 0 ? 0 : header->count * length;
    }
    header->data_size = header->count == 0 ? 0 : (uint64_t)bytes;
    return true;
}

bool npy_parse_header(const unsigned char *bytes, size_t available, uint64_t file_size, npy_header *header,
                      npy_error *error) {
    static const unsigned char magic[] = {0x93, 'N', 'U', 'M', 'P', 'Y'};
    memset(header, 0, sizeof *header);
    if (available < sizeof magic + 2 || memcmp(bytes, magic, sizeof magic) != 0)
        return fail(error, "not a .npy file");
    unsigned major = bytes[6], minor = bytes[7];
    if (major < 1 || major > 3 || minor != 0)
        return fail(error, "version %u.%u of the format is unknown", major, minor);
    size_t width = major == 1 ? 2 : 4, start = sizeof magic + 2 + width;
    if (available < start)
        return fail(error, "truncated: the header's length is missing");
    uint32_t length = 0;
    for (size_t i = 0; i < width; i++)
        length |= (uint32_t)bytes[sizeof magic + 2 + i] << (8 * i);
    if (length > file_size - start)
        return fail(error, "truncated: the header should be %" PRIu32 " bytes", length);
    if (length > NPY_MAX_HEADER || length > available - start)
        return fail(error, "a header of %" PRIu32 " bytes is too long", length);

    cursor c = {(const char *)bytes + start, (const char *)bytes + start + length, error};
    if (!parse_dictionary(&c, header) || !measure(header, error))
        return false;
    header->data_offset = start + length;
    uint64_t rest = file_size - header->data_offset;
    if (rest < header->data_size)
        return fail(error, "truncated: %" PRIu64 " bytes of data where the shape needs %" PRIu64, rest,
                    header->data_size);
    if (rest > header->data_size)
        return fail(error, "%" PRIu64 " bytes follow the data", rest - header->data_size);
    return true;
}
