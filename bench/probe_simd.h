/* The body of a probe. The including file defines
 *   PROBE_NAME             identifier: avx2
 *   PROBE_FEATURES         FV_CPU_* bits
 *   PROBE_BYTES            bytes of a vector
 *   PROBE_CHAINS           independent chains: latency times throughput, within the registers
 *   PROBE_REGISTER         constraint letter of a vector register in inline assembly
 *   PROBE_MUL_ADD(a, x, y) a * x + y
 * and is compiled with its instruction set's flags; everything but the table is static, so that no function compiled
 * for it can stand in for another file's. */
#include "arch/cpu.h"
#include "probe.h"

#define PROBE_JOIN_(a, b) a##b
#define PROBE_JOIN(a, b) PROBE_JOIN_(a, b)
#define PROBE_TEXT_(a) #a
#define PROBE_TEXT(a) PROBE_TEXT_(a)

/* The chains must live in registers, so loops over them have to disappear. */
#if defined(__clang__)
#define PROBE_UNROLL _Pragma("clang loop unroll(full)")
#else
#define PROBE_UNROLL _Pragma("GCC unroll 64")
#endif

typedef float probe_vector __attribute__((vector_size(PROBE_BYTES)));

static void probe_multiply_add(int64_t times) {
    const probe_vector zero = {0};
    probe_vector chain[PROBE_CHAINS];
    /* The chains converge to y / (1 - x): neither infinities nor subnormals, which some processors do more slowly. */
    probe_vector x = zero + 0.999f;
    probe_vector y = zero + 0.001f;
    /* An unknown x and y keep the compiler from solving the recurrence. */
    __asm__ volatile("" : "+" PROBE_REGISTER(x), "+" PROBE_REGISTER(y));
    PROBE_UNROLL
    for (int j = 0; j < PROBE_CHAINS; j++)
        chain[j] = zero + (float)j;
    for (int64_t i = 0; i < times; i++) {
        PROBE_UNROLL
        for (int j = 0; j < PROBE_CHAINS; j++)
            chain[j] = PROBE_MUL_ADD(chain[j], x, y);
    }
    PROBE_UNROLL
    for (int j = 0; j < PROBE_CHAINS; j++)
        __asm__ volatile("" : : PROBE_REGISTER(chain[j]));
}

/* Every vector passes through an empty assembly statement: the load stays, and stays in ascending order. */
static inline __attribute__((always_inline)) void probe_read_run(const unsigned char *from, size_t bytes, size_t ahead,
                                                                 int prefetch) {
    for (size_t i = 0; i < bytes; i += 256) {
        if (prefetch) {
            PROBE_UNROLL
            for (size_t line = 0; line < 256; line += 64)
                __builtin_prefetch(from + i + line + ahead, 0, 3);
        }
        PROBE_UNROLL
        for (size_t j = 0; j < 256; j += PROBE_BYTES) {
            const probe_vector loaded = *(const probe_vector *)(const void *)(from + i + j);
            __asm__ volatile("" : : PROBE_REGISTER(loaded));
        }
    }
}

static inline __attribute__((always_inline)) void probe_read_both(const unsigned char *a, const unsigned char *b,
                                                                  size_t bytes, size_t chunk, size_t ahead,
                                                                  int prefetch) {
    for (size_t i = 0; i < bytes; i += chunk) {
        probe_read_run(a + i, chunk, ahead, prefetch);
        probe_read_run(b + i, chunk, ahead, prefetch);
    }
}

/* The lines of four pieces in turn, and then of the next four; what is left over in ascending order. */
static void probe_read_pieces(const unsigned char *from, size_t bytes) {
    enum { PIECES = 4, PIECE = 32768, LINE = 64 };
    for (; bytes >= PIECES * PIECE; from += PIECES * PIECE, bytes -= PIECES * PIECE)
        for (size_t i = 0; i < PIECE; i += LINE) {
            PROBE_UNROLL
            for (size_t n = 0; n < PIECES; n++) {
                PROBE_UNROLL
                for (size_t j = 0; j < LINE; j += PROBE_BYTES) {
                    const probe_vector loaded = *(const probe_vector *)(const void *)(from + n * PIECE + i + j);
                    __asm__ volatile("" : : PROBE_REGISTER(loaded));
                }
            }
        }
    probe_read_run(from, bytes, 0, 0);
}

static void probe_read(const unsigned char *a, const unsigned char *b, size_t bytes, size_t chunk, size_t ahead) {
    const size_t step = chunk ? chunk : bytes;
    if (chunk == BENCH_PIECES) {
        probe_read_pieces(a, bytes);
        probe_read_pieces(b, bytes);
    } else if (ahead) {
        probe_read_both(a, b, bytes, step, ahead, 1);
    } else {
        probe_read_both(a, b, bytes, step, 0, 0);
    }
}

const bench_probe PROBE_JOIN(bench_probe_, PROBE_NAME) = {
    .name = PROBE_TEXT(PROBE_NAME),
    .features = PROBE_FEATURES,
    .lanes = PROBE_BYTES / (int)sizeof(float),
    .chains = PROBE_CHAINS,
    .multiply_add = probe_multiply_add,
    .read = probe_read,
};
