// engine/cuda/kernels/kernels.cu on the CPU: the parts of CUDA that it uses, a loop over the grid, and launches by name.
// Compile: g++ -std=c++17 -O2 -shared -fPIC -I engine/cuda/kernels kernels_on_host.cpp

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <tuple>
#include <utility>

struct Index {
    unsigned x, y, z;
};
static thread_local Index gridDim, blockDim, blockIdx, threadIdx;

#define __global__
#define __device__
static inline double __dmul_rn(double a, double b) { return a * b; }
static inline float __fmul_rn(float a, float b) { return a * b; }
static inline double __dsub_rn(double a, double b) { return a - b; }

#include "kernels.cu"

namespace {

// Read an argument from a parameter buffer, in which arguments are aligned like the members of a C struct.
template <class Argument>
Argument take(const char *packed, size_t &at) {
    at = (at + alignof(Argument) - 1) / alignof(Argument) * alignof(Argument);
    Argument value;
    std::memcpy(&value, packed + at, sizeof(Argument));
    at += sizeof(Argument);
    return value;
}

// Run the threads of a grid one after the other. Return the bytes of arguments that the kernel takes.
template <class... Arguments>
size_t run(void (*kernel)(Arguments...), Index grid, Index block, const char *packed) {
    size_t at = 0;
    const std::tuple<Arguments...> arguments{take<Arguments>(packed, at)...};  // braces: in this order
    gridDim = grid;
    blockDim = block;
    for (blockIdx.z = 0; blockIdx.z < grid.z; ++blockIdx.z)
        for (blockIdx.y = 0; blockIdx.y < grid.y; ++blockIdx.y)
            for (blockIdx.x = 0; blockIdx.x < grid.x; ++blockIdx.x)
                for (threadIdx.z = 0; threadIdx.z < block.z; ++threadIdx.z)
                    for (threadIdx.y = 0; threadIdx.y < block.y; ++threadIdx.y)
                        for (threadIdx.x = 0; threadIdx.x < block.x; ++threadIdx.x) std::apply(kernel, arguments);
    return at;
}

using Runner = size_t (*)(Index, Index, const char *);
#define KERNEL(name) \
    {#name, [](Index grid, Index block, const char *packed) { return run(name, grid, block, packed); }}
const std::pair<const char *, Runner> KERNELS[] = {
    KERNEL(cubic_taps),
    KERNEL(corner_taps),
    KERNEL(bilinear_taps),
    KERNEL(depth_cubic_taps),
    KERNEL(image_to_batch),
    KERNEL(image_to_batch_bilinear),
    KERNEL(depth_to_image),
    KERNEL(depth_to_image_cubic),
};

}  // namespace

// Return the number of the kernel with this name, or -1 if no kernel has it.
extern "C" int find_on_host(const char *name) {
    for (int number = 0; number < (int)(sizeof KERNELS / sizeof *KERNELS); ++number)
        if (!std::strcmp(KERNELS[number].first, name)) return number;
    return -1;
}

// Run a kernel. Return the bytes of arguments that it takes; the caller compares them with its own.
extern "C" size_t launch_on_host(int number, const unsigned grid[3], const unsigned block[3], const void *packed) {
    return KERNELS[number].second({grid[0], grid[1], grid[2]}, {block[0], block[1], block[2]}, (const char *)packed);
}
