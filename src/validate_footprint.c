#include "src/validate_internal.h"

#include <inttypes.h>
#include <string.h>

#include "src/status.h"

int32_t fv_has_elements(const fv_operand *operand) {
    for (int32_t axis = 0; axis < operand->axes; axis++)
        if (operand->sizes[axis] == 0)
            return 0;
    return 1;
}

/* What the field of a tensor's strides is called in the argument struct, without "_strides". */
static const char *strides_stem(const fv_operand *operand) {
    /* Those that have not the tensor's name. */
    static const struct {
        const char *tensor;
        const char *stem;
    } others[] = {
        {"k_scales", "k_scale"},
        {"v_scales", "v_scale"},
        {"rotation.cosines", "rotation.table"},
        {"rotation.sines", "rotation.table"},
    };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (strcmp(operand->name, others[i].tensor) == 0)
            return others[i].stem;
    return operand->name;
}

/* Checks what inputs and outputs have in common, and makes the box. */
static fovea_status check_operand(const fv_operand *operand, fv_box *box) {
    if (operand->data == NULL)
        return fv_fail(FOVEA_INVALID, "%s is NULL", operand->name);
    if (((uintptr_t)operand->data & (uintptr_t)(operand->element - 1)) != 0)
        return fv_fail(FOVEA_INVALID, "%s is not aligned to its elements of %" PRId64 " bytes", operand->name,
                       operand->element);
    int32_t last = operand->axes - 1;
    if (operand->contiguous && operand->sizes[last] > 1 && operand->strides[last] != 1)
        return fv_fail(FOVEA_INVALID, "%s_strides[%" PRId32 "] (%" PRId64 ") is not 1: the last axis is contiguous",
                       strides_stem(operand), last, operand->strides[last]);
    if (!fv_box_make(box, operand->data, operand->element, operand->axes, operand->sizes, operand->strides))
        return fv_fail(FOVEA_INVALID, "%s: its strides overflow or leave the address space", operand->name);
    return FOVEA_OK;
}

static fovea_status check_output(const fv_operand *operand, const fv_box *box) {
    for (int32_t axis = 0; axis < operand->axes; axis++)
        if (operand->sizes[axis] > 1 && operand->strides[axis] == 0)
            return fv_fail(FOVEA_INVALID, "%s_strides[%" PRId32 "] is 0: an output cannot be broadcast",
                           strides_stem(operand), axis);
    switch (fv_box_overlaps_itself(box)) {
    case FV_OVERLAP_NONE:
        return FOVEA_OK;
    case FV_OVERLAP_FOUND:
        return fv_fail(FOVEA_INVALID, "%s overlaps itself: two of its indices share memory", operand->name);
    case FV_OVERLAP_UNDECIDED:
        break;
    }
    return fv_fail(FOVEA_INVALID, "%s may overlap itself: its strides are too irregular to tell", operand->name);
}

void fv_reads(fv_footprint *footprint, const fv_operand *operand) {
    if (footprint->status != FOVEA_OK || !fv_has_elements(operand))
        return;
    fv_area *area = &footprint->read[footprint->reads++];
    area->name = operand->name;
    footprint->status = check_operand(operand, &area->box);
}

void fv_writes(fv_footprint *footprint, const fv_operand *operand) {
    if (footprint->status != FOVEA_OK || !fv_has_elements(operand))
        return;
    fv_area *area = &footprint->written[footprint->writes++];
    area->name = operand->name;
    footprint->status = check_operand(operand, &area->box);
    if (footprint->status == FOVEA_OK)
        footprint->status = check_output(operand, &area->box);
}

static fovea_status check_pair(const fv_area *written, const fv_area *other) {
    switch (fv_box_overlaps(&written->box, &other->box)) {
    case FV_OVERLAP_NONE:
        return FOVEA_OK;
    case FV_OVERLAP_FOUND:
        return fv_fail(FOVEA_INVALID, "%s overlaps %s", written->name, other->name);
    case FV_OVERLAP_UNDECIDED:
        break;
    }
    return fv_fail(FOVEA_INVALID, "%s may overlap %s: their strides are too irregular to tell", written->name,
                   other->name);
}

fovea_status fv_check_disjoint(fv_footprint *footprint) {
    for (int32_t i = 0; i < footprint->writes; i++) {
        for (int32_t j = 0; j < footprint->reads && footprint->status == FOVEA_OK; j++)
            footprint->status = check_pair(&footprint->written[i], &footprint->read[j]);
        for (int32_t j = 0; j < i && footprint->status == FOVEA_OK; j++)
            footprint->status = check_pair(&footprint->written[i], &footprint->written[j]);
    }
    return footprint->status;
}
