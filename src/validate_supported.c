#include "src/validate_internal.h"

#include "src/status.h"

/* The one list of what is legal but not computed, whatever the backend. */
fovea_status fv_check_supported(const fovea_attention_desc *desc) {
    const int32_t packed = desc->form_q == FOVEA_FORM_PACKED || desc->form_kv == FOVEA_FORM_PACKED;
    const int32_t masked = (desc->inputs & FOVEA_INPUT_MASK) != 0;
    const int32_t biased = (desc->inputs & FOVEA_INPUT_BIAS) != 0;
    const struct {
        int32_t asked;
        const char *reason;
    } unsupported[] = {
        /* By definition: a position (i, j) of a packed sequence has no address of its own. */
        {packed && masked, "inputs: a mask has no packed form"},
        {packed && biased, "inputs: a bias has no packed form"},
        {packed && desc->weights != FOVEA_WEIGHTS_NONE, "weights: attention weights have no packed form"},
    };
    for (size_t i = 0; i < sizeof unsupported / sizeof unsupported[0]; i++)
        if (unsupported[i].asked)
            return fv_fail(FOVEA_UNSUPPORTED, "%s", unsupported[i].reason);
    return FOVEA_OK;
}
