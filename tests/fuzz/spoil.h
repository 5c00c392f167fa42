/* Structs of which a few fields hold anything, as arguments of calls that must refuse them or do no harm. */
#ifndef FOVEA_TESTS_FUZZ_SPOIL_H
#define FOVEA_TESTS_FUZZ_SPOIL_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "fovea/rope.h"
#include "fovea/status.h"
#include "support/random.h"

/* A copy of a struct with zeros behind it, as a caller of a newer version may have; to be freed. Then a few of its
 * fields, or of the bytes just behind it, are written to. */
void *spoil_copy(const void *object, size_t size, test_random *random);

/* A rotation of which fields but those that address memory are spoiled; to be freed. */
fovea_rotation *spoil_rotation(const fovea_rotation *before, test_random *random);

/* Puts a field back to what it was, where reading the call's memory depends on it: what the caller says about memory
 * that is not there is not the library's mistake. */
#define SPOIL_KEEP(now, before, field) memcpy(&(now)->field, &(before)->field, sizeof(now)->field)

/* The same for sizes, of which smaller ones and negative ones may be claimed. */
#define SPOIL_KEEP_WITHIN(now, before, field) \
    do {                                      \
        if ((now)->field > (before)->field) { \
            (now)->field = (before)->field;   \
        }                                     \
    } while (0)

/* Fails the test unless the status is a refusal with a reason. */
void spoil_expect_reason(fovea_status status);

#endif
