/* Random cases of panels. */
#ifndef FOVEA_TESTS_PANEL_CASE_H
#define FOVEA_TESTS_PANEL_CASE_H

#include <stdint.h>

#include "arch/kernel.h"
#include "random.h"

/* Data of a case in columns, with room for the largest. */
enum { MOST_ROWS = 600, MOST = MOST_ROWS * FV_MAX_LANES };

typedef struct columns {
    float data[MOST];
} columns;

/* To be freed. */
columns *columns_random(int64_t count, float range, test_random *random);
int32_t random_keys(const fv_panel_kernels *kernels, test_random *random);
int64_t random_dim(test_random *random);
int32_t random_columns(const fv_panel_kernels *kernels, test_random *random);

#endif
