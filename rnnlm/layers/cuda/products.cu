// What goes with a product: the bias on its way forward, the bias's gradient back.

#define COLUMNS 32
#define GROUPS 32

// sums[c] = the sum of column c of rows (count, columns).  A block of COLUMNS * GROUPS
// threads has COLUMNS columns; each group of threads adds every GROUPS-th row.
extern "C" __global__ void column_sums(const float* rows, float* sums, int count, int columns)
{
    __shared__ float parts[GROUPS][COLUMNS];
    int group = threadIdx.x / COLUMNS, at = threadIdx.x % COLUMNS, column = blockIdx.x * COLUMNS + at;
    float sum = 0;
    if (column < columns) {
        #pragma unroll 8
        for (int row = group; row < count; row += GROUPS) sum += rows[(size_t)row * columns + column];
    }
    parts[group][at] = sum;
    __syncthreads();
    if (group == 0 && column < columns) {
        for (int other = 1; other < GROUPS; ++other) sum += parts[other][at];
        sums[column] = sum;
    }
}

// rows (size / columns, columns) += b (columns,)
extern "C" __global__ void add_bias(float* rows, const float* b, int size, int columns)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < size) rows[i] += b[i % columns];
}
