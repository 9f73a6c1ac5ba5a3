// Kernels that use what the emulator has, for the test of it.

extern __shared__ float4 dynamic_shared[];

extern "C" __global__ void sums(const float* numbers, float* sums_of_blocks, int count) {
    // The sum of the numbers of each block: shuffles in each warp, then one of the warps.
    __shared__ float parts[32];
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    float sum = i < count ? numbers[i] : 0;
    for (int by = 16; by; by /= 2) sum += __shfl_xor_sync(~0u, sum, by);
    if (threadIdx.x % 32 == 0) parts[threadIdx.x / 32] = sum;
    __syncthreads();
    if (threadIdx.x < 32) {
        sum = threadIdx.x < blockDim.x / 32 ? parts[threadIdx.x] : 0;
        for (int by = 16; by; by /= 2) sum += __shfl_down_sync(~0u, sum, by);
        if (threadIdx.x == 0) sums_of_blocks[blockIdx.x] = sum;
    }
}

extern "C" __global__ void rotated(int* numbers, unsigned* arrived, float scale) {
    // Each block passes its numbers to the next: all must have read before one writes.
    int* mine = reinterpret_cast<int*>(dynamic_shared);
    mine[threadIdx.x] = numbers[blockIdx.x * blockDim.x + threadIdx.x];
    __syncthreads();
    if (threadIdx.x == 0) {
        add_release(arrived);
        while (load_acquire(arrived) < gridDim.x) {}
    }
    __syncthreads();
    const int next = (blockIdx.x + 1) % gridDim.x;
    numbers[next * blockDim.x + threadIdx.x] = (int)(scale * mine[blockDim.x - 1 - threadIdx.x]);
}
