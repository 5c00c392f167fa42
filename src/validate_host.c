#include "src/validate.h"

#include <inttypes.h>

#include "src/status.h"
#include "src/validate_internal.h"

fovea_status fv_validate_executor(const fovea_executor *executor) {
    if (executor == NULL)
        return FOVEA_OK;
    fovea_status status = fv_check_struct("executor", executor, sizeof *executor);
    if (status != FOVEA_OK)
        return status;
    if (executor->parallel_for == NULL)
        return fv_fail(FOVEA_INVALID, "executor.parallel_for is NULL");
    if (executor->concurrency < 1)
        return fv_fail(FOVEA_INVALID, "executor.concurrency (%" PRId32 ") is less than 1", executor->concurrency);
    return FOVEA_OK;
}

fovea_status fv_check_allocator(const fovea_allocator *allocator) {
    if (allocator == NULL)
        return FOVEA_OK;
    fovea_status status = fv_check_struct("allocator", allocator, sizeof *allocator);
    if (status != FOVEA_OK)
        return status;
    if (allocator->allocate == NULL)
        return fv_fail(FOVEA_INVALID, "allocator.allocate is NULL");
    if (allocator->release == NULL)
        return fv_fail(FOVEA_INVALID, "allocator.release is NULL");
    return FOVEA_OK;
}
