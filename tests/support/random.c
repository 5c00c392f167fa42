#include "random.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <time.h>

uint64_t test_seed(void) {
    static uint64_t seed;
    static bool known;
    if (!known) {
        const char *text = getenv("FOVEA_TEST_SEED");
        seed = text ? strtoull(text, NULL, 0) : (uint64_t)time(NULL);
        known = true;
    }
    return seed;
}

test_random test_random_seeded(uint64_t seed) {
    return (test_random){.state = seed};
}

/* Not NULL, which says that there are none, even where there are none left. */
test_random test_random_of_bytes(const unsigned char *bytes, size_t size) {
    static const unsigned char none;
    return (test_random){.bytes = size > 0 ? bytes : &none, .left = size};
}

test_random test_random_named(const char *name, int64_t index) {
    uint64_t hash = test_seed() * 0x9e3779b97f4a7c15u + (uint64_t)index;
    for (; *name; name++) {
        hash = (hash ^ (uint64_t)(unsigned char)*name) * 0x100000001b3u;
    }
    return (test_random){.state = hash};
}

/* The next `count` bytes as a number, zeros after the last. */
static uint64_t take(test_random *random, size_t count) {
    uint64_t number = 0;
    for (size_t i = 0; i < count && random->left > 0; i++, random->left--) {
        number |= (uint64_t)*random->bytes++ << (8 * i);
    }
    return number;
}

/* SplitMix64: passes the usual batteries and has no bad seeds. */
static uint64_t next(test_random *random) {
    uint64_t z = random->state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

test_random test_random_branch(test_random *random) {
    enum { SEED_BYTES = 2 };
    return test_random_seeded(random->bytes ? take(random, SEED_BYTES) : next(random));
}

uint64_t random_bits(test_random *random) {
    return random->bytes ? take(random, sizeof(uint64_t)) : next(random);
}

static size_t bytes_that_hold(uint64_t number) {
    size_t count = 0;
    for (; number > 0; number >>= 8) {
        count++;
    }
    return count;
}

int64_t random_between(test_random *random, int64_t low, int64_t high) {
    const uint64_t range = (uint64_t)(high - low);
    const uint64_t number = random->bytes ? take(random, bytes_that_hold(range)) : next(random);
    return low + (int64_t)(number % (range + 1));
}

static double random_unit(test_random *random) {
    if (random->bytes) {
        return 1 - (double)(take(random, 2) + 1) * 0x1p-16;
    }
    return (double)(next(random) >> 11) * 0x1p-53;
}

bool random_chance(test_random *random, double probability) {
    return random_unit(random) < probability;
}

float random_float(test_random *random, float low, float high) {
    return low + (high - low) * (float)random_unit(random);
}

int64_t random_of(test_random *random, int64_t count, const int64_t *values) {
    return values[random_between(random, 0, count - 1)];
}

float random_hostile(test_random *random) {
    static const float values[] = {NAN,      INFINITY, -INFINITY, 0.0f,         -0.0f,         FLT_MAX,
                                   -FLT_MAX, 1e30f,    -1e30f,    FLT_TRUE_MIN, -FLT_TRUE_MIN, FLT_MIN};
    return values[random_between(random, 0, (int64_t)(sizeof values / sizeof *values) - 1)];
}

/* Sanitizers slow everything down by about the factor by which they look closer. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define DEFAULT_SCALE 0.25
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define DEFAULT_SCALE 0.25
#endif
#endif
#ifndef DEFAULT_SCALE
#define DEFAULT_SCALE 1.0
#endif

static double test_scale(void) {
    const char *text = getenv("FOVEA_TEST_SCALE");
    return text ? strtod(text, NULL) : DEFAULT_SCALE;
}

int64_t test_scaled(int64_t count) {
    const double scaled = (double)count * test_scale();
    return scaled < 1.0 ? 1 : (int64_t)scaled;
}

bool test_takes(int64_t entry, int64_t index) {
    const double scale = test_scale();
    const int64_t step = scale > 0.1 ? 1 : scale > 0.05 ? 2 : scale > 0.02 ? 3 : 6;
    return (entry + index * (step / 2)) % step == 0;
}
