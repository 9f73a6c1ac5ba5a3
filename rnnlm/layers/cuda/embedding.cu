// Rows of a matrix by id, and the sum of gradients by id.

#define CHUNK 4096  // ids that a block looks through at a time

// out (M, D): row i is row ids[i] of W.  A block for each row.
extern "C" __global__ void rows_by_id(const float* W, const int* ids, float* out, int D)
{
    const float* from = W + (size_t)ids[blockIdx.x] * D;
    float* to = out + (size_t)blockIdx.x * D;
    for (int d = threadIdx.x; d < D; d += blockDim.x) to[d] = from[d];
}

// dW (V, D): row v is the sum of the rows (M, D) with ids[i] == v, in their order;
// with adds it is added to what is there.  A block for each v looks through all ids:
// so nothing needs to be sorted or cleared before, and no two blocks write to one row.
extern "C" __global__ void sums_by_id(const float* rows, const int* ids, float* dW, int M, int D, int adds)
{
    __shared__ unsigned found[CHUNK / 32];  // a bit for each id of the chunk
    int v = blockIdx.x;
    float* out = dW + (size_t)v * D;
    for (int start = 0; start < M; start += CHUNK) {
        int length = M - start < CHUNK ? M - start : CHUNK, words = (length + 31) / 32;
        for (int k = threadIdx.x; k < words; k += blockDim.x) found[k] = 0;
        __syncthreads();
        for (int i = threadIdx.x; i < length; i += blockDim.x)
            if (ids[start + i] == v) atomicOr(&found[i / 32], 1u << (i % 32));
        __syncthreads();
        for (int d = threadIdx.x; d < D; d += blockDim.x) {
            float sum = adds || start > 0 ? out[d] : 0.0f;
            for (int k = 0; k < words; ++k) {
                unsigned bits = found[k];
                for (int i = 32 * k; bits; bits >>= 1, ++i)
                    if (bits & 1) sum += rows[(size_t)(start + i) * D + d];
            }
            out[d] = sum;
        }
        __syncthreads();
    }
}
