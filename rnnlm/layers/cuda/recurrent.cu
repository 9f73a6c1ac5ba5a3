// The recurrences of a window, all steps in one launch.
//
// A step is a product of the previous step's values with the recurrent weights, then
// some elementwise work.  Forward the values are h (N, H) and the product is h Wh, one
// column for each gate of a unit; backward they are da (N, kH), the product is da Wh^T,
// one column for each unit.
//
// The streams are divided among groups of blocks, the units among the blocks of a group.
// A block keeps the weights of its units in shared memory for the whole window.  After a
// step the blocks of a group exchange their values through global memory, `exchanged`
// (2, N, width): one half is read while the other is written.  Groups never wait for
// each other, since streams do not depend on each other.  So a launch may also read only
// `count` of the N streams, from `first` on.
//
// The floors of a step at N = 20, H = 650 on 132 multiprocessors, 4 groups of 33 blocks:
// an LSTM multiplies 20 * 650 * 2,600 = 34 million pairs, 2,000 cycles at 128 a cycle on
// each multiprocessor, and reads its weights once, 208 KB a block, 1,660 cycles at 128
// bytes a cycle.  From the other blocks it reads 13 KB forward and 52 KB backward.  A
// plain RNN has a quarter of it.  In both, to wait for the group is a write and two reads
// through the second-level cache, one after the other: a microsecond or so, whatever the
// sizes.  A group of one block has no such wait: where it can, it holds all weights in
// registers (HELD), 140 numbers a thread at H = 200, and a step is 350 cycles of products.
//
// What goes through Wx, and the gradients of all weights, are products of whole windows,
// which are computed elsewhere.

#ifndef STREAMS  // of a group
#define STREAMS 5
#endif
#ifndef COLUMNS  // of a thread
#define COLUMNS 5
#endif
#ifndef HELD  // reads of STEP inputs for which a thread of a group's only block holds the weights
#define HELD 0
#endif
#ifndef EMULATOR  // tests on a CPU have their own

// Count one more; whoever reads the count with load_acquire sees what was written before.
//
// A __threadfence instead orders all threads' accesses alike, which takes longer.
__device__ void add_release(unsigned* counter) {
    asm volatile("red.release.gpu.global.add.u32 [%0], 1;" ::"l"(__cvta_generic_to_global(counter)) : "memory");
}

__device__ unsigned load_acquire(unsigned* counter) {
    unsigned count;
    asm volatile("ld.acquire.gpu.global.u32 %0, [%1];"
                 : "=r"(count)
                 : "l"(__cvta_generic_to_global(counter))
                 : "memory");
    return count;
}

#endif

constexpr int LANES = 8;             // lanes of a warp that share a column, each with 4 inputs of 32
constexpr int ROWS = 32 / LANES;     // columns that a warp multiplies at once, times those of a thread
constexpr int STEP = 4 * LANES;      // inputs that a warp reads at once: widths are multiples of it

extern __shared__ float4 dynamic_shared[];  // the weights of a block, then partial sums of products

struct Share {  // what a block does; the same arithmetic as in geometry.py
    int first_stream, streams, first_unit, units, blocks, width, parts, column_warps;
    unsigned* counters;  // of the group: blocks that have arrived, blocks that have left

    __device__ Share(int first, int count, int H, int inputs, int groups, int units_a_block, int column_warps_,
                     unsigned* all) {
        const int group = blockIdx.x % groups, member = blockIdx.x / groups, most = (count + groups - 1) / groups;
        first_stream = first + group * most;
        streams = max(0, min(most, first + count - first_stream));
        first_unit = member * units_a_block;
        units = max(0, min(units_a_block, H - first_unit));
        blocks = gridDim.x / groups;
        width = (inputs + STEP - 1) / STEP * STEP;
        column_warps = column_warps_;
        parts = blockDim.x / 32 / column_warps;
        counters = all + group * 64;  // groups do not share a line of the cache
    }
    __device__ int stride() const { return width + 4; }  // another bank for each column where they are written
    __device__ float* rows(float* exchanged, int N, int t) const {
        return exchanged + (HELD ? (t & 1) * STREAMS : (t & 1) * N + first_stream) * width;
    }
};

// The values of this thread's block are written: tell the group.
__device__ void arrive(const Share& share) {
    __syncthreads();
    if (share.blocks > 1 && threadIdx.x == 0) add_release(share.counters);
}

// Wait until all blocks of the group have arrived `times` times.
__device__ void wait(const Share& share, int times) {
    if (share.blocks == 1) return;
    if (threadIdx.x == 0)
        while (load_acquire(share.counters) < (unsigned)(times * share.blocks)) {}
    __syncthreads();
}

// The last block of the group to leave sets the counters to 0 for the next launch.
__device__ void leave(const Share& share) {
    if (share.blocks > 1 && threadIdx.x == 0 && atomicAdd(share.counters + 32, 1u) + 1 == (unsigned)share.blocks)
        share.counters[0] = share.counters[32] = 0;
}

// What lies beyond the inputs is multiplied, too: it is zero in both halves.
__device__ void clear_tail(const Share& share, float* exchanged, int N, int inputs) {
    const int tail = share.width - inputs;
    if (share.first_unit == 0)
        for (int i = threadIdx.x; i < 2 * share.streams * tail; i += blockDim.x)
            share.rows(exchanged, N, i % 2)[i / 2 / tail * share.width + inputs + i / 2 % tail] = 0;
}

// Half of the sums go to another lane, for half of that lane's.
template <int count>
__device__ void halve(float* sums, int mask) {
    const bool upper = threadIdx.x & mask;
#pragma unroll
    for (int i = 0; i < count / 2; ++i) {
        const float sent = upper ? sums[i] : sums[i + count / 2];
        sums[i] = (upper ? sums[i + count / 2] : sums[i]) + __shfl_xor_sync(~0u, sent, mask);
    }
}

// A thread's place in a product: a part of the inputs, 4 of each STEP, and C columns.
template <int C>
struct Place {
    int lane, part, first_column;
    __device__ Place(const Share& share) {
        const int warp = threadIdx.x / 32;
        lane = threadIdx.x % LANES;
        part = warp / share.column_warps;
        first_column = (warp % share.column_warps * ROWS + threadIdx.x % 32 / LANES) * C;
    }
    __device__ const float4* column(const Share& share, const float* weights, int c, int columns) const {
        return (const float4*)(weights + min(first_column + c, columns - 1) * share.stride()) + lane;
    }
};

// The weights that a thread multiplies with, in registers.
template <int C>
struct Held {
    float4 weights[HELD ? HELD : 1][C];
    __device__ void load(const Share& share, const float* from, int columns) {
        const Place<C> place(share);
#pragma unroll
        for (int i = 0; i < HELD; ++i)
#pragma unroll
            for (int c = 0; c < C; ++c) {
                const int step = place.part + i * share.parts;
                weights[i][c] = step < share.width / STEP ? place.column(share, from, c, columns)[step * LANES]
                                                          : make_float4(0, 0, 0, 0);
            }
    }
};

template <int S>
__device__ void add(float* sums, int apart, const float4* x, const float4 w) {
#pragma unroll
    for (int s = 0; s < S; ++s) {
        float& sum = sums[s * apart];
        sum += x[s].x * w.x;
        sum += x[s].y * w.y;
        sum += x[s].z * w.z;
        sum += x[s].w * w.w;
    }
}

// partials[part, stream, column] = inputs @ weights over a part of the inputs.
//
// A warp has a part of the inputs and ROWS * C columns; a thread S streams, C columns,
// and of each STEP inputs 4.  Each number that it reads it uses S or C times.
template <int S, int C>
__device__ void multiply(const Share& share, const float* weights, const Held<C>& held, const float* inputs,
                         float* partials, int columns) {
    const Place<C> place(share);
    const int steps = share.width / STEP;
    const float4* of_stream[S];
#pragma unroll
    for (int s = 0; s < S; ++s)
        of_stream[s] = (const float4*)(inputs + min(s, share.streams - 1) * share.width) + place.lane;
    constexpr int count = (S * C + LANES - 1) / LANES * LANES;
    float sums[count] = {};
    float4 x[S];
#if HELD
#pragma unroll
    for (int i = 0; i < HELD; ++i) {
        const int step = min(place.part + i * share.parts, steps - 1);
#pragma unroll
        for (int s = 0; s < S; ++s) x[s] = of_stream[s][step * LANES];
#pragma unroll
        for (int c = 0; c < C; ++c) add<S>(sums + c, C, x, held.weights[i][c]);
    }
#else
    const float4* of_column[C];
#pragma unroll
    for (int c = 0; c < C; ++c) of_column[c] = place.column(share, weights, c, columns);
    float4 next[S];
#pragma unroll
    for (int s = 0; s < S; ++s) next[s] = of_stream[s][min(place.part, steps - 1) * LANES];
    for (int step = place.part; step < steps; step += share.parts) {
        const int following = min(step + share.parts, steps - 1) * LANES;
#pragma unroll
        for (int s = 0; s < S; ++s) x[s] = next[s], next[s] = of_stream[s][following];
#pragma unroll
        for (int c = 0; c < C; ++c) add<S>(sums + c, C, x, of_column[c][step * LANES]);
    }
#endif
    halve<count>(sums, 4);
    halve<count / 2>(sums, 2);
    halve<count / 4>(sums, 1);
#pragma unroll
    for (int i = 0; i < count / LANES; ++i) {
        const int index = place.lane * (count / LANES) + i, s = index / C, column = place.first_column + index % C;
        if (s < share.streams && column < columns) partials[(place.part * S + s) * columns + column] = sums[i];
    }
}

// Add up the partial sums of a unit, whose columns are `units` apart.
template <int S, int gates>
__device__ void total(const Share& share, const float* partials, int stream, int unit, int units, float* sums) {
#pragma unroll
    for (int q = 0; q < gates; ++q) sums[q] = 0;
    for (int part = 0; part < share.parts; ++part)
#pragma unroll
        for (int q = 0; q < gates; ++q) sums[q] += partials[((part * S + stream) * gates + q) * units + unit];
}

__device__ float sigmoid(float x) { return 1 / (1 + expf(-x)); }

__device__ float activated(float a, int activation) {
    return activation == 0 ? tanhf(a) : activation == 1 ? fmaxf(a, 0) : activation == 2 ? sigmoid(a) : a;
}

__device__ float slope(float h, int activation) {
    return activation == 0 ? 1 - h * h : activation == 1 ? (h > 0 ? 1.f : 0.f) : activation == 2 ? h - h * h : 1.f;
}

// A cell does the elementwise work of one unit of one stream: `load` reads what does not
// depend on other blocks, ahead of time; `store` writes what no other block needs.
// `unit` is the index of the unit of the stream in (N, H); gates are in (N, kH).

struct PlainForward {  // h = activation(x Wx + b + h_prev Wh)
    static constexpr int gates = 1;
    const float *as, *bs; int activation;
    float a, b;
    __device__ void start(int, int unit, int) { b = bs[unit]; }
    __device__ void load(int t, int stream, int unit, int N, int H) { a = as[(t * N + stream) * H + unit] + b; }
    __device__ float step(const float* sums) { return activated(a + sums[0], activation); }
    __device__ void store(int, int, int, int, int) {}
    __device__ void finish(int, int, int) {}
};

struct LstmForward {  // c = f c_prev + g i, h = o tanh(c)
    static constexpr int gates = 4;
    float* as; const float *bs, *c_first; float *cs, *c_last; bool carried;
    float a[4], b[4], c;
    __device__ void start(int stream, int unit, int H) {
        for (int q = 0; q < 4; ++q) b[q] = bs[q * H + unit];
        cs[stream * H + unit] = c = carried ? c_first[stream * H + unit] : 0;
    }
    __device__ void load(int t, int stream, int unit, int N, int H) {
        for (int q = 0; q < 4; ++q) a[q] = as[((t * N + stream) * 4 + q) * H + unit] + b[q];
    }
    __device__ float step(const float* sums) {
        for (int q = 0; q < 4; ++q) a[q] = q == 1 ? tanhf(a[q] + sums[q]) : sigmoid(a[q] + sums[q]);
        c = a[0] * c + a[1] * a[2];
        return a[3] * tanhf(c);
    }
    __device__ void store(int t, int stream, int unit, int N, int H) {
        for (int q = 0; q < 4; ++q) as[((t * N + stream) * 4 + q) * H + unit] = a[q];
        cs[((t + 1) * N + stream) * H + unit] = c;
    }
    __device__ void finish(int stream, int unit, int H) { c_last[stream * H + unit] = c; }
};

struct PlainBackward {
    static constexpr int gates = 1;
    const float *dhs, *hs; float* das; int activation;
    float dh_above, h, da[1];
    __device__ void load(int t, int stream, int unit, int N, int H) {
        dh_above = dhs[(t * N + stream) * H + unit];
        h = hs[((t + 1) * N + stream) * H + unit];
    }
    __device__ void step(float dh) { da[0] = (dh_above + dh) * slope(h, activation); }
    __device__ void store(int t, int stream, int unit, int N, int H) { das[(t * N + stream) * H + unit] = da[0]; }
    __device__ void finish(int, int, int) {}
};

struct LstmBackward {
    static constexpr int gates = 4;
    const float *dhs, *gate, *cs; float *das, *dcs;
    float dh_above, c, c_prev, f, g, i, o, dc, da[4];
    __device__ void load(int t, int stream, int unit, int N, int H) {
        const float* row = gate + (t * N + stream) * 4 * H + unit;
        f = row[0], g = row[H], i = row[2 * H], o = row[3 * H];
        dh_above = dhs[(t * N + stream) * H + unit];
        c = cs[((t + 1) * N + stream) * H + unit];
        c_prev = cs[(t * N + stream) * H + unit];
    }
    __device__ void step(float dh) {
        dh += dh_above;                                // h is used twice, above and by the next step: sum
        const float tanh_c = tanhf(c);
        dc += dh * o * (1 - tanh_c * tanh_c);          // h = o tanh(c); c is used twice: sum
        da[0] = dc * c_prev * (f - f * f);             // c = f c_prev + g i
        da[1] = dc * i * (1 - g * g);
        da[2] = dc * g * (i - i * i);
        da[3] = dh * tanh_c * (o - o * o);
        dc *= f;
    }
    __device__ void store(int t, int stream, int unit, int N, int H) {
        for (int q = 0; q < 4; ++q) das[((t * N + stream) * 4 + q) * H + unit] = da[q];
    }
    __device__ void finish(int stream, int unit, int H) { dcs[stream * H + unit] = dc; }
};

template <int S, int C, class Cell>
__device__ void forward(Cell cell, const float* __restrict__ Wh, const float* h_first, float* hs, float* h_last, bool carried,
                        float* exchanged, unsigned* counters, int T, int N, int first, int count, int H, int groups,
                        int units_a_block, int column_warps) {
    constexpr int gates = Cell::gates;
    const Share share(first, count, H, H, groups, units_a_block, column_warps, counters);
    const int units = share.units, columns = units * gates, stride = share.stride();
    float *weights = (float*)dynamic_shared, *partials = weights + columns * stride;
    for (int column = threadIdx.x % 32; column < columns; column += 32) {  // q * units + u
        const float* from = Wh + column / units * H + share.first_unit + column % units;
        float* to = weights + column * stride;
#pragma unroll 4
        for (int k = threadIdx.x / 32 * 4; k < share.width; k += blockDim.x / 32 * 4) {
            float4 four;
            four.x = k < H ? from[k * gates * H] : 0;
            four.y = k + 1 < H ? from[(k + 1) * gates * H] : 0;
            four.z = k + 2 < H ? from[(k + 2) * gates * H] : 0;
            four.w = k + 3 < H ? from[(k + 3) * gates * H] : 0;
            *(float4*)(to + k) = four;
        }
    }
    const int s = threadIdx.x / max(units, 1), u = threadIdx.x % max(units, 1);
    const int stream = share.first_stream + s, unit = share.first_unit + u;
    const bool active = units > 0 && s < share.streams;
    Held<C> held;
#if HELD
    exchanged = partials;  // the only block of its group has it in shared memory
    partials += 2 * S * share.width;
    __syncthreads();  // the weights are there
    held.load(share, weights, columns);
#endif
    clear_tail(share, exchanged, N, H);
    float h = 0;
    if (active) {
        if (carried) h = h_first[stream * H + unit];
        share.rows(exchanged, N, 0)[s * share.width + unit] = hs[stream * H + unit] = h;
        cell.start(stream, unit, H);
        cell.load(0, stream, unit, N, H);
    }
    arrive(share);
    for (int t = 0; t < T; ++t) {
        wait(share, t + 1);
        if (columns > 0 && share.streams > 0)
            multiply<S, C>(share, weights, held, share.rows(exchanged, N, t), partials, columns);
        __syncthreads();
        if (active) {
            float sums[gates];
            total<S, gates>(share, partials, s, u, units, sums);
            share.rows(exchanged, N, t + 1)[s * share.width + unit] = h = cell.step(sums);
        }
        if (t + 1 < T) arrive(share);
        if (active) {
            hs[((t + 1) * N + stream) * H + unit] = h;
            cell.store(t, stream, unit, N, H);
            if (t + 1 < T) cell.load(t + 1, stream, unit, N, H);
        }
    }
    if (active) {
        h_last[stream * H + unit] = h;
        cell.finish(stream, unit, H);
    }
    leave(share);
}

template <int S, int C, class Cell>
__device__ void backward(Cell cell, const float* __restrict__ Wh, float* dh, float* exchanged, unsigned* counters,
                         int T, int N, int first, int count, int H, int groups, int units_a_block,
                         int column_warps) {
    constexpr int gates = Cell::gates;
    const int inputs = gates * H;
    const Share share(first, count, H, inputs, groups, units_a_block, column_warps, counters);
    const int units = share.units, stride = share.stride();
    float *weights = (float*)dynamic_shared, *partials = weights + units * stride;
    for (int k = threadIdx.x; k < share.width; k += blockDim.x)
#pragma unroll 10
        for (int u = 0; u < units; ++u)
            weights[u * stride + k] = k < inputs ? Wh[(share.first_unit + u) * inputs + k] : 0;
    const int s = threadIdx.x / max(units, 1), u = threadIdx.x % max(units, 1);
    const int stream = share.first_stream + s, unit = share.first_unit + u;
    const bool active = units > 0 && s < share.streams;
    Held<C> held;
#if HELD
    exchanged = partials;  // the only block of its group has it in shared memory
    partials += 2 * S * share.width;
    __syncthreads();  // the weights are there
    held.load(share, weights, units);
#endif
    clear_tail(share, exchanged, N, inputs);
    if (active) cell.load(T - 1, stream, unit, N, H);
    float sum = 0;  // nothing comes from beyond the window: the truncation
    for (int t = T - 1; t >= 0; --t) {
        if (active) {
            cell.step(sum);
            float* row = share.rows(exchanged, N, t) + s * share.width + unit;
#pragma unroll
            for (int q = 0; q < gates; ++q) row[q * H] = cell.da[q];
        }
        arrive(share);
        if (active) {
            cell.store(t, stream, unit, N, H);
            if (t > 0) cell.load(t - 1, stream, unit, N, H);
        }
        wait(share, T - t);
        if (units > 0 && share.streams > 0)
            multiply<S, C>(share, weights, held, share.rows(exchanged, N, t), partials, units);
        __syncthreads();
        if (active) total<S, 1>(share, partials, s, u, units, &sum);
    }
    if (active) {
        dh[stream * H + unit] = sum;
        cell.finish(stream, unit, H);
    }
    leave(share);
}

#define DIVISION int T, int N, int first, int count, int H, int groups, int units, int column_warps
#define DIVIDED T, N, first, count, H, groups, units, column_warps
#define KERNEL extern "C" __global__ void __launch_bounds__(HELD ? 320 : 384, 1)

KERNEL rnn_forward(const float* as, const float* b, const float* Wh, const float* h_first, float* hs, float* h_last,
                   float* exchanged, unsigned* counters, int activation, int carried, DIVISION) {
    forward<STREAMS, COLUMNS>(PlainForward{as, b, activation}, Wh, h_first, hs, h_last, carried & 1, exchanged, counters,
                        DIVIDED);
}

KERNEL rnn_backward(const float* dhs, const float* Wh, const float* hs, float* das, float* dh, float* exchanged,
                    unsigned* counters, int activation, DIVISION) {
    backward<STREAMS, COLUMNS>(PlainBackward{dhs, hs, das, activation}, Wh, dh, exchanged, counters, DIVIDED);
}

KERNEL lstm_forward(float* gates, const float* b, const float* Wh, const float* h_first, const float* c_first,
                    float* hs, float* cs, float* h_last, float* c_last, float* exchanged, unsigned* counters,
                    int carried, DIVISION) {
    forward<STREAMS, COLUMNS>(LstmForward{gates, b, c_first, cs, c_last, (carried & 2) != 0}, Wh, h_first, hs, h_last,
                              carried & 1, exchanged, counters, DIVIDED);
}

KERNEL lstm_backward(const float* dhs, const float* Wh, const float* gates, const float* cs, float* das, float* dh,
                     float* dc, float* exchanged, unsigned* counters, DIVISION) {
    backward<STREAMS, COLUMNS>(LstmBackward{dhs, gates, cs, das, dc}, Wh, dh, exchanged, counters, DIVIDED);
}
