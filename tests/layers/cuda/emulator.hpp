// Enough of CUDA C++ for a kernel to run on a CPU.
//
// Each block is a thread of the system, so that blocks can wait for each other.  The
// threads of a block are fibres of it, which take turns at __syncthreads and at the
// functions of a warp: what runs between two of those runs in the order of the threads.
// A kernel that needs __syncthreads and has none therefore fails here often, not always:
// threads run from the first to the last, or, every other turn, from the last to the
// first.
//
// A kernel's file keeps to what is here.  Memory whose size the launch gives is
// `extern __shared__ float4 dynamic_shared[];`, outside of functions.  A loop that waits
// for another block reads with load_acquire, which is in PTX on a GPU.

#include <ucontext.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#define EMULATOR 1
#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __restrict__
#define __launch_bounds__(...)
#define __shared__ thread_local
#define __constant__ static

struct alignas(8) float2 { float x, y; };
struct alignas(16) float4 { float x, y, z, w; };
struct alignas(16) int4 { int x, y, z, w; };
inline float2 make_float2(float x, float y) { return {x, y}; }
inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }

struct dim3 { unsigned x = 1, y = 1, z = 1; };

thread_local float4 dynamic_shared[232448 / sizeof(float4)];  // 227 KB, as an H100 has; each block begins with zeros

namespace emulator {

constexpr size_t stack_bytes = 128 << 10;

enum class Waits { no, for_warp, for_block };

struct Fibre {
    ucontext_t context;
    std::unique_ptr<char[]> stack{new char[stack_bytes]};
    unsigned index = 0;
    Waits waits = Waits::no;
    bool done = false;
};

struct Block {
    std::vector<Fibre> fibres;
    std::vector<uint64_t> given;  // what each thread gives its warp
    ucontext_t scheduler;
    Fibre* running = nullptr;
    dim3 block, grid, threads;
    void* body = nullptr;
    void (*enter)(void*) = nullptr;
};

inline thread_local Block* here = nullptr;

inline void let_others_run() {
    std::this_thread::yield();
    swapcontext(&here->running->context, &here->scheduler);
}

inline void barrier(Waits waits) {
    here->running->waits = waits;
    swapcontext(&here->running->context, &here->scheduler);
}

inline void start() {
    here->enter(here->body);
    here->running->done = true;
    swapcontext(&here->running->context, &here->scheduler);
}

inline bool open(std::vector<Fibre>& fibres, size_t from, size_t to, Waits kind) {
    // Open a barrier at which all threads from one to another wait that have not ended.
    bool waiting = false;
    for (size_t i = from; i < to; ++i) {
        if (!fibres[i].done && fibres[i].waits != kind) return false;
        waiting |= !fibres[i].done;
    }
    for (size_t i = from; i < to; ++i) fibres[i].waits = Waits::no;
    return waiting;
}

inline void run(Block& block) {
    here = &block;
    for (auto& fibre : block.fibres) {
        getcontext(&fibre.context);
        fibre.context.uc_stack.ss_sp = fibre.stack.get();
        fibre.context.uc_stack.ss_size = stack_bytes;
        fibre.context.uc_link = nullptr;
        makecontext(&fibre.context, start, 0);
    }
    const size_t count = block.fibres.size();
    for (bool backwards = false;; backwards = !backwards) {
        bool moved = false, alive = false;
        for (size_t i = 0; i < count; ++i) {
            Fibre& fibre = block.fibres[backwards ? count - 1 - i : i];
            alive |= !fibre.done;
            if (fibre.done || fibre.waits != Waits::no) continue;
            moved = true;
            block.running = &fibre;
            swapcontext(&block.scheduler, &fibre.context);
        }
        if (!alive) return;
        for (size_t warp = 0; warp < count; warp += 32)
            moved |= open(block.fibres, warp, std::min(warp + 32, count), Waits::for_warp);
        moved |= open(block.fibres, 0, count, Waits::for_block);
        if (!moved) {
            std::fputs("the threads of a block wait for each other in different places\n", stderr);
            std::abort();
        }
    }
}

// A block writes no more shared memory than the launch gives it.
inline void require_untouched(size_t shared) {
    const char* bytes = reinterpret_cast<const char*>(dynamic_shared);
    if (std::all_of(bytes + shared, bytes + sizeof(dynamic_shared), [](char byte) { return byte == 0; })) return;
    std::fputs("a block wrote behind its shared memory\n", stderr);
    std::abort();
}

template <class T>
T exchange(T value, unsigned from) {
    static_assert(sizeof(T) <= 8, "a shuffle moves a number");
    const unsigned me = here->running->index;
    std::memcpy(&here->given[me], &value, sizeof(T));
    barrier(Waits::for_warp);
    const unsigned source = me / 32 * 32 + from % 32;
    if (source < here->given.size()) std::memcpy(&value, &here->given[source], sizeof(T));
    barrier(Waits::for_warp);  // before the next exchange writes
    return value;
}

template <class... Parameters, size_t... I>
void launch(void (*kernel)(Parameters...), const unsigned* grid, unsigned threads, size_t shared, void** arguments,
            std::index_sequence<I...>) {
    auto values = std::make_tuple(*static_cast<std::remove_reference_t<Parameters>*>(arguments[I])...);
    auto body = [&] { kernel(std::get<I>(values)...); };
    std::vector<std::thread> blocks;
    for (unsigned z = 0; z < grid[2]; ++z)
        for (unsigned y = 0; y < grid[1]; ++y)
            for (unsigned x = 0; x < grid[0]; ++x)
                blocks.emplace_back([=, &body] {
                    Block block;
                    block.fibres = std::vector<Fibre>(threads);
                    for (unsigned i = 0; i < threads; ++i) block.fibres[i].index = i;
                    block.given.resize(threads);
                    block.block = {x, y, z};
                    block.grid = {grid[0], grid[1], grid[2]};
                    block.threads = {threads, 1, 1};
                    block.body = &body;
                    block.enter = [](void* body_) { (*static_cast<decltype(&body)>(body_))(); };
                    run(block);
                    require_untouched(shared);
                });
    for (auto& block : blocks) block.join();
}

template <class... Parameters>
void launch(void (*kernel)(Parameters...), const unsigned* grid, unsigned threads, size_t shared, void** arguments) {
    launch(kernel, grid, threads, shared, arguments, std::index_sequence_for<Parameters...>{});
}

}  // namespace emulator

#define blockIdx (emulator::here->block)
#define blockDim (emulator::here->threads)
#define gridDim (emulator::here->grid)
#define threadIdx (dim3{emulator::here->running->index, 0, 0})
#define warpSize 32

inline void __syncthreads() { emulator::barrier(emulator::Waits::for_block); }
inline void __syncwarp(unsigned = ~0u) { emulator::barrier(emulator::Waits::for_warp); }
inline void __threadfence() { std::atomic_thread_fence(std::memory_order_seq_cst); }
inline void __threadfence_block() {}
inline void __nanosleep(unsigned) { emulator::let_others_run(); }

template <class T> T __shfl_sync(unsigned, T value, int from) { return emulator::exchange(value, from); }
template <class T> T __shfl_xor_sync(unsigned, T value, int mask) {
    return emulator::exchange(value, emulator::here->running->index ^ mask);
}
template <class T> T __shfl_down_sync(unsigned, T value, unsigned by) {
    const unsigned lane = emulator::here->running->index % 32;
    return emulator::exchange(value, lane + by < 32 ? lane + by : lane);
}

template <class T> T __ldg(const T* address) { return *address; }
template <class T> T __ldcg(const T* address) { return *address; }
template <class T> void __stcg(T* address, T value) { *address = value; }
template <class T> void __stcs(T* address, T value) { *address = value; }

inline int atomicAdd(int* address, int value) { return __atomic_fetch_add(address, value, __ATOMIC_SEQ_CST); }
inline unsigned atomicAdd(unsigned* address, unsigned value) {
    return __atomic_fetch_add(address, value, __ATOMIC_SEQ_CST);
}
inline unsigned atomicOr(unsigned* address, unsigned value) {
    return __atomic_fetch_or(address, value, __ATOMIC_SEQ_CST);
}
inline int atomicMax(int* address, int value) {
    int old = __atomic_load_n(address, __ATOMIC_SEQ_CST);
    while (old < value && !__atomic_compare_exchange_n(address, &old, value, true, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {}
    return old;
}
inline float atomicAdd(float* address, float value) {
    uint32_t old, sum;
    __atomic_load(reinterpret_cast<uint32_t*>(address), &old, __ATOMIC_SEQ_CST);
    float before;
    do {
        std::memcpy(&before, &old, 4);
        const float after = before + value;
        std::memcpy(&sum, &after, 4);
    } while (!__atomic_compare_exchange_n(reinterpret_cast<uint32_t*>(address), &old, sum, true, __ATOMIC_SEQ_CST,
                                          __ATOMIC_SEQ_CST));
    return before;
}

inline void add_release(unsigned* counter) { __atomic_fetch_add(counter, 1u, __ATOMIC_RELEASE); }
inline unsigned load_acquire(unsigned* counter) {  // waits in a loop: another block gets its turn
    emulator::let_others_run();
    return __atomic_load_n(counter, __ATOMIC_ACQUIRE);
}

inline int __float_as_int(float value) { int bits; std::memcpy(&bits, &value, 4); return bits; }
inline float __int_as_float(int bits) { float value; std::memcpy(&value, &bits, 4); return value; }
inline float __fmaf_rn(float a, float b, float c) { return std::fma(a, b, c); }
inline float __expf(float value) { return std::exp(value); }
inline float __logf(float value) { return std::log(value); }
inline float __fdividef(float a, float b) { return a / b; }
inline float rsqrtf(float value) { return 1 / std::sqrt(value); }
using std::max;
using std::min;
