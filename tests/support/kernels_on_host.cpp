// engine/cuda/kernels/kernels.cu for the CPU: the words of CUDA that it uses, a loop over the grid, and a launch by name.
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
static inline double __dsub_rn(double a, double b) { return a - b; }

#include "kernels.cu"

namespace {

// Read one argument from a parameter buffer, aligned as a C struct's members are.
template <class Argument>
Argument take(const char *packed, size_t &at) {
    at = (at + alignof(Argument) - 1) / alignof(Argument) * alignof(Argument);
    Argument value;
    std::memcpy(&value, packed + at, sizeof(Argument));
    at += sizeof(Argument);
    return value;
}

// Run every thread of a grid, one after the other. Returns the bytes of arguments that the kernel takes.
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
    KERNEL(bilinear_taps),
    KERNEL(image_to_batch),
    KERNEL(depth_to_image),
};

}  // namespace

// Return the number of the kernel of this name, -1 where there is none.
extern "C" int find_on_host(const char *name) {
    for (int number = 0; number < (int)(sizeof KERNELS / sizeof *KERNELS); ++number)
        if (!std::strcmp(KERNELS[number].first, name)) return number;
    return -1;
}

// Run a kernel. Returns the bytes of arguments that it took, for the caller to compare with what it gave.
extern "C" size_t launch_on_host(int number, const unsigned grid[3], const unsigned block[3], const void *packed) {
    return KERNELS[number].second({grid[0], grid[1], grid[2]}, {block[0], block[1], block[2]}, (const char *)packed);
}
