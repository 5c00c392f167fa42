/* The portable backend: plain C, and the contract of arch/kernel.h in its most readable form. */
#include "arch/generic/kernels.h"

const fv_backend fv_backend_generic = {
    .name = "generic",
    .isa = FOVEA_ISA_GENERIC,
    .panel = &fv_generic_panel,
    .row = &fv_generic_row,
    .convert = &fv_generic_convert,
    .rotary = &fv_generic_rotary,
};
