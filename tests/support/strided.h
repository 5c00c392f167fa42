/* Tensors of four axes in guarded memory that remember what they held: for calls that write some of their elements and
 * must leave all others alone. */
#ifndef FOVEA_TESTS_STRIDED_H
#define FOVEA_TESTS_STRIDED_H

#include <stdbool.h>
#include <stdint.h>

#include "fovea/types.h"
#include "kernel_memory.h"

typedef struct strided {
    fovea_type type;
    int64_t element;
    int64_t size[4], strides[4];
    void *origin;
    /* All of its memory, and what it held when strided_remember was called last. */
    unsigned char *bytes, *before;
    int64_t bytes_size;
} strided;

/* A tensor of these sizes, the last axis contiguous: axes in a random order, with random gaps, some reversed. It
 * holds random bits. */
strided strided_create(kernel_memory *memory, fovea_type type, const int64_t size[4]);
/* Another one with the strides of `like`. */
strided strided_create_like(kernel_memory *memory, const strided *like);
void strided_destroy(strided *self);

void *strided_at(const strided *self, int64_t a, int64_t b, int64_t c, int64_t d);

/* An element's value; and its replacement, rounded to the type (int8: to an integer). */
double strided_get(const strided *self, int64_t a, int64_t b, int64_t c, int64_t d);
void strided_put(const strided *self, int64_t a, int64_t b, int64_t c, int64_t d, double value);

/* Fills all elements with numbers in [-range, range). */
void strided_fill(const strided *self, test_random *random, double range);

/* Takes note of what the memory holds. */
void strided_remember(strided *self);

/* Puts an element back to what it held, so that strided_unchanged passes over it. */
void strided_forget(const strided *self, int64_t a, int64_t b, int64_t c, int64_t d);

/* Puts everything back. */
void strided_restore(const strided *self);

/* True if the memory holds what it held, gaps included. */
bool strided_unchanged(const strided *self);

/* The value of an element of a type, and the nearest element to a value. */
double element_value(fovea_type type, const void *element);
void element_store(fovea_type type, double value, void *element);

/* Bytes of an element. */
int64_t element_bytes(fovea_type type);

#endif
