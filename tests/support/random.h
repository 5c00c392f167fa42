/* Reproducible random numbers for the tests, and the two environment variables that steer them:
 *
 *   FOVEA_TEST_SEED   the seed of the whole run (printed by the runner), to repeat a failure
 *   FOVEA_TEST_SCALE  factor of the number of random cases, e.g. 0.1 under a sanitizer */
#ifndef FOVEA_TESTS_RANDOM_H
#define FOVEA_TESTS_RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct test_random {
    uint64_t state;
    /* With test_random_of_bytes, what is left of them. */
    const unsigned char *bytes;
    size_t left;
} test_random;

/* The seed of this run. */
uint64_t test_seed(void);

/* A generator of its own for a test: depends on the run's seed, the name and the index. */
test_random test_random_named(const char *name, int64_t index);

/* A generator with a given seed. */
test_random test_random_seeded(uint64_t seed);

/* A generator whose numbers a fuzzer chooses: every decision takes as few of the bytes, which are borrowed, as hold it.
 * Behind their end all are 0, by which a choice is its first one and what has a chance of less than 1 does not happen.
 */
test_random test_random_of_bytes(const unsigned char *bytes, size_t size);

/* A generator of its own for many numbers that a fuzzer need not choose one by one: `random` gives its seed. */
test_random test_random_branch(test_random *random);

uint64_t random_bits(test_random *random);

/* Uniform in [low, high], both included. */
int64_t random_between(test_random *random, int64_t low, int64_t high);

/* True with the given probability. */
bool random_chance(test_random *random, double probability);

/* Uniform in [low, high). */
float random_float(test_random *random, float low, float high);

/* One of `count` numbers. */
int64_t random_of(test_random *random, int64_t count, const int64_t *values);
#define RANDOM_OF(random, ...)                                                             \
    random_of(random, (int64_t)(sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), \
              (const int64_t[]){__VA_ARGS__})

/* A NaN, an infinity, a signed zero, a subnormal or a huge number. */
float random_hostile(test_random *random);

/* `count` scaled by FOVEA_TEST_SCALE, at least 1. */
int64_t test_scaled(int64_t count);

/* Lists that every case of a test goes through are long for an emulator: of every two problems, a case takes one if
 * FOVEA_TEST_SCALE is 0.1 or less; of every three if it is 0.05 or less, of every six if 0.02. Neighbouring cases (of a
 * backend, one with each exponential) take different ones. True if case `index` takes this entry. */
bool test_takes(int64_t entry, int64_t index);

#endif
