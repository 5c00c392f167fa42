/* What fuzzers feed with bytes. Each target takes any bytes of any number, ends soon, and fails as a test fails: by an
 * assertion of Check, a fault, or a sanitizer. The suite `fuzz` feeds them with the corpus. */
#ifndef FOVEA_TESTS_FUZZ_TARGETS_H
#define FOVEA_TESTS_FUZZ_TARGETS_H

#include <stddef.h>
#include <stdint.h>

/* Legal calls with every feature, against the oracle, between backends, and bit by bit between ways to call. */
void fuzz_attention(const uint8_t *bytes, size_t size);

/* Descriptors and arguments of which a few fields hold anything: a status with a reason, and nothing written. */
void fuzz_arguments(const uint8_t *bytes, size_t size);

/* One plan, executed again and again on problems of other lengths, values and workspaces. */
void fuzz_plans(const uint8_t *bytes, size_t size);

/* New tokens into caches of every form and type, turned or not; and calls of which a few fields hold anything. */
void fuzz_append(const uint8_t *bytes, size_t size);

/* Rotary embeddings; and calls of which a few fields hold anything. */
void fuzz_rope(const uint8_t *bytes, size_t size);

/* Partial results, put together; and calls of which a few fields hold anything. */
void fuzz_merge(const uint8_t *bytes, size_t size);

/* Keys that all sequences share; and calls of which a few fields hold anything. */
void fuzz_prefix(const uint8_t *bytes, size_t size);

/* Files in NumPy's format. */
void fuzz_npy(const uint8_t *bytes, size_t size);

#endif
