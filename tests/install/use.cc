// A user's C++17 program: a plan, executed on the program's own thread by an executor.
#include <fovea/fovea.h>

#include <array>
#include <cstdio>
#include <string>
#include <vector>

namespace {

void run_in_order(void *, int64_t tasks, fovea_task task, void *task_context) {
    for (int64_t i = 0; i < tasks; i++)
        task(task_context, i, 0);
}

// New keys in f32 become f16, turned on the way.
bool grows_a_cache() {
    const std::vector<float> key{1, 0};
    std::vector<uint16_t> cache(2, 0xffff);
    fovea_rotation rotation{};
    rotation.struct_size = sizeof rotation;
    rotation.layout = FOVEA_ROPE_INTERLEAVED;

    fovea_kv_append_args args{};
    args.struct_size = sizeof args;
    args.batch = args.heads_kv = args.len_new = args.len_kv = 1;
    args.head_dim = 2;
    args.type_kv = FOVEA_F16;
    args.k_new = key.data();
    args.k_new_strides[3] = args.k_strides[3] = 1;
    args.k = cache.data();
    args.rotation = &rotation;
    // Position 0 is not turned: (1, 0) in binary16.
    return fovea_kv_append(&args, nullptr) == FOVEA_OK && cache[0] == 0x3c00 && cache[1] == 0;
}

} // namespace

int main() {
    constexpr int64_t heads = 2, rows = 3, keys = 5, dim = 4;
    const std::vector<float> q(heads * rows * dim), k(heads * keys * dim), v(heads * keys * dim, 0.5f);
    std::vector<float> out(heads * rows * dim);

    fovea_attention_desc desc{};
    desc.struct_size = sizeof desc;
    desc.batch = 1;
    desc.heads_q = desc.heads_kv = heads;
    desc.len_q = rows;
    desc.len_kv = keys;
    desc.head_dim = desc.head_dim_v = dim;

    fovea_attention_args args{};
    args.struct_size = sizeof args;
    args.len_q = rows;
    args.len_kv = keys;
    args.q = q.data();
    args.k = k.data();
    args.v = v.data();
    args.out = out.data();
    const auto set = [](int64_t(&strides)[4], int64_t len) {
        const std::array<int64_t, 4> values{heads * len * dim, len * dim, dim, 1};
        for (std::size_t axis = 0; axis < values.size(); axis++)
            strides[axis] = values[axis];
    };
    set(args.q_strides, rows);
    set(args.k_strides, keys);
    set(args.v_strides, keys);
    set(args.out_strides, rows);

    fovea_executor executor{};
    executor.struct_size = sizeof executor;
    executor.parallel_for = run_in_order;
    executor.concurrency = 1;

    fovea_plan *plan = nullptr;
    if (fovea_plan_create(&desc, &plan) != FOVEA_OK || fovea_execute(plan, &args, &executor) != FOVEA_OK) {
        std::fprintf(stderr, "%s\n", fovea_last_reason());
        return 1;
    }
    fovea_plan_destroy(plan);
    for (const float value : out)
        if (value != 0.5f)
            return 2;
    if (!grows_a_cache())
        return 4;
    return std::string(fovea_version()).empty() ? 3 : 0;
}
