#include "src/panel_sums.h"

#include <string.h>

/* Blocks whose sum is formed before it is added to that of the blocks before them. */
enum { MOST_SUMMED = 32 };

static int64_t output_floats(const fv_head *head, const fv_panel *panel) {
    return panel->ld * head->plan->desc.head_dim_v;
}

static void add_to(float *to, const float *from, int64_t count) {
    for (int64_t i = 0; i < count; i++)
        to[i] += from[i];
}

void fv_sums_limit(const fv_head *head, fv_panel *panel) {
    if (panel->summed < MOST_SUMMED || panel->next_key == panel->keys.end)
        return;
    if (panel->has_totals) {
        add_to(panel->o_total, panel->o, output_floats(head, panel));
        add_to(panel->l_total, panel->l, panel->ld);
    } else {
        memcpy(panel->o_total, panel->o, (size_t)output_floats(head, panel) * sizeof(float));
        memcpy(panel->l_total, panel->l, (size_t)panel->ld * sizeof(float));
    }
    panel->has_totals = 1;
    panel->summed = 0;
}

void fv_sums_complete(const fv_head *head, fv_panel *panel) {
    if (!panel->has_totals)
        return;
    add_to(panel->o, panel->o_total, output_floats(head, panel));
    add_to(panel->l, panel->l_total, panel->ld);
    panel->has_totals = 0;
}

static void rescale(const fv_head *head, const fv_panel *panel, float *o, float *l, const float *factor) {
    const fv_panel_kernels *kernels = head->plan->backend->panel;
    kernels->rescale(l, panel->ld, panel->vectors, 1, factor);
    kernels->rescale(o, panel->ld, panel->vectors, head->plan->desc.head_dim_v, factor);
}

void fv_sums_rescale(const fv_head *head, const fv_panel *panel, const float *factor) {
    if (panel->summed > 0)
        rescale(head, panel, panel->o, panel->l, factor);
    if (panel->has_totals)
        rescale(head, panel, panel->o_total, panel->l_total, factor);
}
