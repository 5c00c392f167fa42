/* Panel family on AVX-512. */
#include "arch/avx512/vec.h"

#include "arch/avx512/elements.h"

#include "arch/avx512/shapes.h"

/* There are registers for the sums. */
#define PANEL_FIRST_1 PANEL_DIMS_1
#define PANEL_FIRST_2 PANEL_DIMS_2
#define PANEL_FIRST_3 PANEL_DIMS_3
#include "arch/common/panel_family.inc"

#include "arch/avx512/kernels.h"

const fv_panel_kernels fv_avx512_panel = {
    PANEL_FAMILY,
    PANEL_BLOCKS,
};
