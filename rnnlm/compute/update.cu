// The update rules of training/optimizers.py, the norm of the gradients, averages: one pass each.

#define THREADS 256
#define LARGEST 1.7976931348623157e308

enum { PLAIN, MOMENTUM, ROOT, MOMENTS };  // as in update_kernels.py

// One step of a parameter w.  Where nothing is to be clipped here, norm and loss are not read.
extern "C" __global__ void update(
    float* w, const float* g, float* first, float* second,  // the slots, as far as the rule has them
    const float* decays, const double* norm, const double* loss,
    int size, int rule,
    int has_decays,   // whether decays has the weight decay of each number; otherwise keep says it
    int clips,        // whether norm has the norm of all gradients, and limit its limit
    float limit, float keep, float rate, float step,
    float keep_first, float new_first, float keep_second, float new_second, float eps)
{
    if (clips) {
        double length = *norm;
        if (!(length <= LARGEST && fabs(*loss) <= LARGEST)) return;  // the weights stay as before a step that went wrong
        float scale = length > limit ? (float)(limit / length) : 1.0f;
        if (rule != MOMENTS) step *= scale;
        new_first *= scale;
        new_second *= scale;
    }
    for (long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x; i < size;
         i += (long long)gridDim.x * blockDim.x) {
        float x = w[i], slope = g[i];
        if (has_decays) x -= decays[i] * x * rate;
        else x *= keep;
        if (rule == PLAIN) {
            x -= slope * step;
        } else if (rule == MOMENTUM) {
            float v = first[i] * keep_first - slope * step;
            first[i] = v;
            x += v;
        } else if (rule == ROOT) {
            float change = slope * new_first, s = first[i] * keep_first + change * change;
            first[i] = s;
            x -= slope / (sqrtf(s) + eps) * step;
        } else {
            float change = slope * new_second;
            float m = first[i] * keep_first + slope * new_first, v = second[i] * keep_second + change * change;
            first[i] = m;
            second[i] = v;
            x -= m / (sqrtf(v) + eps) * step;
        }
        w[i] = x;
    }
}

__device__ double sum_of_squares(const float* x, int size)
{
    double sum = 0;
    for (long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x; i < size;
         i += (long long)gridDim.x * blockDim.x)
        sum += (double)x[i] * x[i];
    return sum;
}

__device__ double sum_of_block(double* parts, double part)
{
    parts[threadIdx.x] = part;
    __syncthreads();
    for (int half = THREADS / 2; half > 0; half /= 2) {
        if (threadIdx.x < half) parts[threadIdx.x] += parts[threadIdx.x + half];
        __syncthreads();
    }
    return parts[0];
}

// norm[0] = the L2 norm of four arrays as one vector, and of those of an earlier launch
// if there was one; norm[1] is its square.  The block that ends last adds up.
extern "C" __global__ void norm_of_all(
    const float* a, const float* b, const float* c, const float* d,
    double* partial,   // (blocks,)
    int* finished,     // (1,), 0 before and after
    double* norm,      // (2,)
    int size_a, int size_b, int size_c, int size_d, int continues)
{
    __shared__ double parts[THREADS];
    __shared__ int last;
    double sum = sum_of_squares(a, size_a) + sum_of_squares(b, size_b);
    sum += sum_of_squares(c, size_c) + sum_of_squares(d, size_d);
    sum = sum_of_block(parts, sum);
    if (threadIdx.x == 0) {
        partial[blockIdx.x] = sum;
        __threadfence();
        last = atomicAdd(finished, 1) == (int)gridDim.x - 1;
    }
    __syncthreads();
    if (!last) return;
    __threadfence();
    sum = 0;
    for (int i = threadIdx.x; i < gridDim.x; i += THREADS) sum += ((volatile double*)partial)[i];
    sum = sum_of_block(parts, sum);
    if (threadIdx.x == 0) {
        norm[1] = continues ? norm[1] + sum : sum;
        norm[0] = sqrt(norm[1]);
        *finished = 0;
    }
}

// a <- a + weight * (w - a)
extern "C" __global__ void average(const float* w, float* a, int size, float weight)
{
    for (long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x; i < size;
         i += (long long)gridDim.x * blockDim.x)
        a[i] = weight == 1.0f ? w[i] : a[i] + weight * (w[i] - a[i]);
}

extern "C" __global__ void exchange(float* w, float* a, int size)
{
    for (long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x; i < size;
         i += (long long)gridDim.x * blockDim.x) {
        float kept = w[i];
        w[i] = a[i];
        a[i] = kept;
    }
}
