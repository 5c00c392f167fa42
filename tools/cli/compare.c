#include "compare.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "geometry.h"
#include "inputs.h"

cli_status compare_load(const char *path, const char *name, const npy_header *shape, npy_array *reference) {
    char is[128], needed[128];
    cli_status status = input_load(path, 1u << NPY_F32, reference);
    if (status != CLI_OK)
        return status;
    const npy_header *h = &reference->header;
    if (h->rank == shape->rank && memcmp(h->shape, shape->shape, (size_t)h->rank * sizeof *h->shape) == 0)
        return CLI_OK;
    format_shape(is, sizeof is, h->rank, h->shape);
    format_shape(needed, sizeof needed, shape->rank, shape->shape);
    npy_free(reference);
    return cli_fail(CLI_BAD_INPUT, "%s: has shape %s, %s has %s", path, is, name, needed);
}

static double difference(float a, float b) {
    if (a == b || (isnan(a) && isnan(b)))
        return 0;
    double d = fabs((double)a - (double)b);
    return isnan(d) ? HUGE_VAL : d;
}

comparison compare_arrays(const float *a, const float *b, int64_t count) {
    comparison c = {0, 0};
    for (int64_t i = 0; i < count; i++) {
        double d = difference(a[i], b[i]);
        if (d > c.max)
            c = (comparison){d, i};
    }
    return c;
}

void compare_print(const comparison *c, const char *name, const npy_array *array, const char *reference_name,
                   const npy_array *reference, double tolerance) {
    const bool equal = c->max <= tolerance;
    printf("largest difference of %s from %s: %.3g (tolerance %.3g): %s\n", name, reference_name, c->max, tolerance,
           equal ? "equal" : "DIFFERENT");
    if (!equal)
        printf("first found at element %" PRId64 ": %.9g, reference %.9g\n", c->at,
               (double)((const float *)array->data)[c->at], (double)((const float *)reference->data)[c->at]);
}
