#include "kernel_case.h"

#include <math.h>
#include <string.h>

bool is_near(float actual, double value, double bound) {
    return isnan(value) ? isnan(actual) : (double)actual == value || fabs((double)actual - value) <= bound;
}

bool is_exp2(float actual, float x, float least, double bound) {
    if (isnan(x)) {
        return isnan(actual);
    }
    if (x > 127.0f) {
        return true;
    }
    if (x < least) {
        return actual == 0.0f;
    }
    const double exact = exp2((double)x);
    return fabs((double)actual - exact) <= bound * exact;
}

void make_hostile(float *data, int64_t count, test_random *random) {
    for (int64_t i = 0; i < count / 16; i++) {
        data[random_between(random, 0, count - 1)] = random_hostile(random);
    }
}

float *copy_of(kernel_memory *memory, const float *data, int64_t count) {
    float *copy = take_floats(memory, count, FV_ALIGNMENT);
    if (count > 0) {
        memcpy(copy, data, sizeof(float) * (size_t)count);
    }
    return copy;
}
