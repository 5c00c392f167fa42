/* Random problems. */
#include "problem.h"

#include "backends.h"

problem_spec on_case(problem_spec spec, int32_t index) {
    const backend_case at = backend_case_at(index);
    spec.isa = at.backend->isa;
    spec.exp = at.exp;
    return spec;
}

/* Sizes near the edges of vectors, tiles, blocks and splits. */
static int64_t random_length(test_random *random, int64_t largest) {
    const int64_t edge = RANDOM_OF(random, 8, 16, 24, 32, 48, 64, 128, 192, 256, 384, 512, 768, 1024);
    if (random_chance(random, 0.1) && edge + 1 <= largest) {
        return edge + random_between(random, -1, 1);
    }
    return random_between(random, random_chance(random, 0.05) ? 0 : 1, largest < 80 ? largest : 80);
}

static int64_t random_head_dim(test_random *random) {
    const int64_t any = random_between(random, 1, 80);
    return RANDOM_OF(random, any, any, any, any, any, any, 8, 16, 32, 64, 96, 128, 256);
}

static uint32_t random_inputs(test_random *random) {
    uint32_t inputs = 0;
    for (uint32_t bit = FOVEA_INPUT_MASK; bit <= FOVEA_INPUT_SINKS; bit <<= 1) {
        if (random_chance(random, 0.25)) {
            inputs |= bit;
        }
    }
    return inputs;
}

static fovea_weights random_weights(test_random *random) {
    const fovea_weights weights =
        (fovea_weights)random_between(random, FOVEA_WEIGHTS_PROBABILITIES, FOVEA_WEIGHTS_MEAN_PROBABILITIES);
    return random_chance(random, 0.25) ? weights : FOVEA_WEIGHTS_NONE;
}

static void randomise_sizes(problem_spec *spec, test_random *random, int64_t largest) {
    const int64_t group = RANDOM_OF(random, 1, 1, 1, 2, 3, 4, 5, 8, 16);
    spec->batch = RANDOM_OF(random, 1, 1, 2, 3) * !random_chance(random, 0.01);
    spec->heads_kv = RANDOM_OF(random, 1, 1, 2, 3);
    spec->heads_q = group * spec->heads_kv;
    spec->len_kv = random_length(random, largest);
    spec->len_q = random_chance(random, 0.4) ? random_between(random, 1, 4) : random_length(random, largest / group);
    spec->head_dim = random_head_dim(random);
    spec->head_dim_v = random_chance(random, 0.6) ? spec->head_dim : random_head_dim(random);
    spec->spare_q = random_chance(random, 0.3) ? random_between(random, 0, 500) : 0;
    spec->spare_kv = random_chance(random, 0.3) ? random_between(random, 0, 5000) : 0;
}

/* Halves sizes until the oracle needs a few milliseconds. */
static void bound_work(problem_spec *spec) {
    enum { MOST = 2000000 };
    int64_t *const sizes[] = {&spec->batch, &spec->heads_kv, &spec->len_q};
    const int64_t group = spec->heads_q / spec->heads_kv;
    for (int i = 0;; i = (i + 1) % 3) {
        const int64_t row = spec->len_kv * (spec->head_dim + spec->head_dim_v);
        if (spec->batch * spec->heads_kv * group * spec->len_q * row <= MOST ||
            (spec->batch <= 1 && spec->heads_kv <= 1 && spec->len_q <= 1)) {
            break;
        }
        *sizes[i] = (*sizes[i] + 1) / 2;
    }
    spec->heads_q = group * spec->heads_kv;
}

static void randomise_scores(problem_spec *spec, test_random *random) {
    spec->query_range = (float)RANDOM_OF(random, 1, 1, 1, 8, 40);
    spec->value_range = (float)RANDOM_OF(random, 1, 1, 1, 1000);
    spec->has_scale = random_chance(random, 0.3);
    spec->scale = random_chance(random, 0.1) ? 0.0f : random_float(random, -0.5f, 0.5f);
    spec->softcap = random_chance(random, 0.2) ? random_float(random, 0.5f, 30.0f) : 0.0f;
    spec->diagonal = (fovea_diagonal)random_between(random, 0, 2);
    spec->query_offset = random_between(random, -spec->len_q, spec->len_kv);
    spec->causal = random_chance(random, 0.4);
    spec->has_window_left = random_chance(random, 0.2);
    spec->has_window_right = random_chance(random, 0.2);
    spec->window_left = random_between(random, 0, spec->len_kv);
    spec->window_right = random_between(random, 0, spec->len_kv);
    spec->inputs = random_inputs(random);
    spec->bias_forbids = random_chance(random, 0.5) ? 0.2 : 0;
    spec->mask_density = random_chance(random, 0.5) ? 0.7 : 0.05;
    spec->mask_broadcast = (int32_t)random_between(random, 0, 15);
    spec->bias_broadcast = (int32_t)random_between(random, 0, 15);
    spec->mask_tile = (int32_t)RANDOM_OF(random, 0, 0, 8, 16, 32, 64);
    spec->bias_tile = (int32_t)RANDOM_OF(random, 0, 0, 0, 16, 32, 64);
    spec->slope_range = 0.01f * (float)RANDOM_OF(random, 1, 25, 25, 400);
    spec->sink_range = (float)RANDOM_OF(random, 2, 2, 40);
    spec->slopes_shared = random_chance(random, 0.5);
    spec->hostile = random_chance(random, 0.2) ? (int32_t)random_between(random, 1, 4) : 0;
}

static tensor_layout random_input_layout(test_random *random, int64_t len) {
    const tensor_layout layout = (tensor_layout)random_between(random, 0, LAYOUT_COUNT - 1);
    return layout == LAYOUT_ROW_A_PAGE && len > 200 ? LAYOUT_PADDED : layout;
}

static void randomise_memory(problem_spec *spec, test_random *random) {
    spec->layout_q = random_input_layout(random, spec->len_q);
    spec->layout_k = random_input_layout(random, spec->len_kv);
    spec->layout_v = random_input_layout(random, spec->len_kv);
    spec->layout_out = (tensor_layout)random_between(random, LAYOUT_BHSD, LAYOUT_REVERSED);
    if (random_chance(random, 0.1)) {
        spec->fused_qkv = 1;
        spec->len_kv = spec->len_q;
        spec->head_dim_v = spec->head_dim;
        spec->layout_q = spec->layout_k = spec->layout_v = LAYOUT_BSHD;
    }
    spec->side = random_chance(random, 0.5) ? GUARD_AFTER : GUARD_BEFORE;
}

/* f32 alone, or with one of the 16-bit types, which do not mix. */
static void randomise_types(problem_spec *spec, test_random *random) {
    const int64_t narrow = RANDOM_OF(random, FOVEA_F32, FOVEA_F16, FOVEA_BF16);
    spec->type_q = (fovea_type)RANDOM_OF(random, FOVEA_F32, narrow);
    spec->type_kv = (fovea_type)RANDOM_OF(random, FOVEA_F32, narrow, narrow, FOVEA_INT8);
    spec->type_out = (fovea_type)RANDOM_OF(random, FOVEA_F32, spec->type_q);
    spec->type_bias = (fovea_type)RANDOM_OF(random, FOVEA_F32, narrow);
    if (spec->fused_qkv) {
        spec->type_kv = spec->type_q;
    }
}

/* Masks, bias and weights have no packed form. */
static void randomise_forms(problem_spec *spec, test_random *random) {
    spec->form_q = (fovea_form)RANDOM_OF(random, FOVEA_FORM_DENSE, FOVEA_FORM_DENSE, FOVEA_FORM_PACKED);
    spec->form_kv =
        (fovea_form)RANDOM_OF(random, FOVEA_FORM_DENSE, FOVEA_FORM_DENSE, FOVEA_FORM_PACKED, FOVEA_FORM_PAGED);
    if (spec->form_kv == FOVEA_FORM_PAGED) {
        const int64_t any = random_between(random, 1, 40), size = RANDOM_OF(random, 1, 2, 16, 16, 64, 256, any, any);
        spec->page_size = size;
        spec->len_kv = (spec->len_kv + size - 1) / size * size;
        spec->spare_kv = spec->spare_kv / size * size;
    }
    if (spec->form_q == FOVEA_FORM_PACKED || spec->form_kv == FOVEA_FORM_PACKED) {
        spec->inputs &= ~(uint32_t)(FOVEA_INPUT_MASK | FOVEA_INPUT_BIAS);
        spec->weights = FOVEA_WEIGHTS_NONE;
        spec->cut_alike = random_chance(random, 0.5);
        spec->batch = spec->batch > 0 ? random_between(random, 1, 6) : 0;
    }
}

problem_spec problem_random(test_random *random, int64_t largest, fovea_isa isa, fovea_exp exp) {
    problem_spec spec = PROBLEM(.seed = random_bits(random), .isa = isa, .exp = exp);
    randomise_sizes(&spec, random, largest);
    bound_work(&spec);
    randomise_scores(&spec, random);
    randomise_memory(&spec, random);
    randomise_types(&spec, random);
    spec.type_index = random_chance(random, 0.5) ? FOVEA_INDEX_INT64 : FOVEA_INDEX_INT32;
    spec.outputs = random_chance(random, 0.5) ? FOVEA_OUTPUT_LSE : 0;
    spec.weights = random_weights(random);
    if (!spec.fused_qkv) {
        randomise_forms(&spec, random);
    }
    spec.form = (call_form)random_between(random, CALL_ONCE, CALL_WORKSPACE);
    spec.threads = (int32_t)RANDOM_OF(random, 0, 1, 2);
    /* Computed by the backends that have it. */
    spec.arithmetic = FOVEA_ARITHMETIC_BF16;
    if (!problem_has_pairs(&spec) || random_chance(random, 0.5)) {
        spec.arithmetic = FOVEA_ARITHMETIC_DEFAULT;
    }
    return spec;
}
