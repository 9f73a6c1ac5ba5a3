// Dropout: 16 random bits for each number; below the threshold it becomes 0, else it is
// multiplied by factor.

// x, out (T * N, D), time-major; bits (N, stride), of which steps * D are meant, steps is
// T or 1: one mask for all.
extern "C" __global__ void drop_values(const float* x, const unsigned short* bits, float* out,
                                       int size, int N, int steps, int D, int stride, int threshold, float factor)
{
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < size; i += gridDim.x * blockDim.x) {
        int row = i / D, step = steps == 1 ? 0 : row / N;
        int bit = bits[(row % N) * stride + step * D + i % D];
        out[i] = bit >= threshold ? x[i] * factor : 0.0f;
    }
}

// x, out (size / D, D); factors: one for each row.
extern "C" __global__ void scale_rows(const float* x, const float* factors, float* out, int size, int D)
{
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < size; i += gridDim.x * blockDim.x)
        out[i] = x[i] * factors[i / D];
}

// W, out, bits (H, width), width a multiple of H: the diagonals of the (H, H) blocks stay.
extern "C" __global__ void drop_weights(const float* W, const unsigned short* bits, float* out,
                                        int size, int H, int width, int threshold, float factor)
{
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < size; i += gridDim.x * blockDim.x) {
        float w = W[i];
        if (i % width % H != i / width) w = bits[i] >= threshold ? w * factor : 0.0f;
        out[i] = w;
    }
}
