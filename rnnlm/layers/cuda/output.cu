// Softmax, the loss and its gradient: a block for each row of scores.
//
// A row is read twice.  The first pass keeps a running maximum m and the sum s of
// exp(x - m); the second writes the gradient over the scores.  A row of 10,000 words,
// 40 KB, is still in the cache then.  The block that ends last adds up the loss of all
// rows, in a fixed order.

#define THREADS 256
#define AT_ONCE 8
#define LOWEST -3.402823466e38f

extern "C" __global__ void softmax_rows(
    float* scores,          // (rows, V), without biases; the gradient of them if wanted
    const float* b,         // (V,)
    const int* targets,     // (rows,); -1: does not count
    float* log_probs,       // (rows,), filled: ln p of the targets
    double* loss,           // (1,), filled: the mean of -ln p over the targets that count
    int* finished,          // (1,), 0 before and after
    int rows, int V,
    int total,              // the number of targets that count, or 1
    float scale,            // what the gradient is multiplied by: 1 / total
    int gradient)           // whether it is wanted
{
    __shared__ float maxima[THREADS];
    __shared__ float sums[THREADS];
    __shared__ double parts[THREADS];
    __shared__ int last;
    int thread = threadIdx.x, row = blockIdx.x, target = targets[row], word = target < 0 ? 0 : target;
    float* x = scores + (size_t)row * V;

    float m = LOWEST, s = 0;
    for (int first = thread; first < V; first += AT_ONCE * THREADS) {
        float y[AT_ONCE], top = m;
        #pragma unroll
        for (int k = 0; k < AT_ONCE; ++k) {
            int v = first + k * THREADS;
            y[k] = v < V ? x[v] + b[v] : LOWEST;
            top = fmaxf(top, y[k]);
        }
        s *= expf(m - top);
        m = top;
        #pragma unroll
        for (int k = 0; k < AT_ONCE; ++k) s += expf(y[k] - m);
    }
    float of_target = x[word] + b[word];  // before anything is written over it

    maxima[thread] = m;
    sums[thread] = s;
    __syncthreads();
    for (int half = THREADS / 2; half > 0; half /= 2) {
        if (thread < half) {
            float left = maxima[thread], right = maxima[thread + half], top = fmaxf(left, right);
            sums[thread] = sums[thread] * expf(left - top) + sums[thread + half] * expf(right - top);
            maxima[thread] = top;
        }
        __syncthreads();
    }
    m = maxima[0];
    s = sums[0];

    if (gradient) {
        float g = target < 0 ? 0.0f : scale, factor = g / s;
        for (int first = thread; first < V; first += AT_ONCE * THREADS) {
            float y[AT_ONCE];  // read before anything is written, or each read would wait for the write before
            #pragma unroll
            for (int k = 0; k < AT_ONCE; ++k) {
                int v = first + k * THREADS;
                y[k] = v < V ? x[v] + b[v] : LOWEST;
            }
            #pragma unroll
            for (int k = 0; k < AT_ONCE; ++k) {
                int v = first + k * THREADS;
                float d = expf(y[k] - m) * factor;
                if (v < V) x[v] = v == target ? d - g : d;
            }
        }
    }

    if (thread == 0) {
        float log_prob = of_target - m - logf(s);
        log_probs[row] = log_prob > 0 ? 0.0f : log_prob;  // rounding can leave a certain word above 1; nan stays
        __threadfence();
        last = atomicAdd(finished, 1) == rows - 1;
    }
    __syncthreads();
    if (!last) return;
    __threadfence();
    double part = 0;
    for (int r = thread; r < rows; r += THREADS)
        if (targets[r] >= 0) part -= ((volatile float*)log_probs)[r];
    parts[thread] = part;
    __syncthreads();
    for (int half = THREADS / 2; half > 0; half /= 2) {
        if (thread < half) parts[thread] += parts[thread + half];
        __syncthreads();
    }
    if (thread == 0) {
        loss[0] = parts[0] / total;
        *finished = 0;
    }
}
