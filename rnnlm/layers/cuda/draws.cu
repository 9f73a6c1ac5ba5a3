// Random words as NumPy's PCG64 draws them (O'Neill, 2014: XSL RR 128/64), by many
// threads: each jumps to its place in the sequence and goes on from there.

typedef unsigned __int128 wide;
typedef unsigned long long word;

// generator: state and increment, the upper half of each first.
extern "C" __global__ void pcg64(const word* generator, word* words, int count, int each)
{
    const int first = (blockIdx.x * blockDim.x + threadIdx.x) * each;
    if (first >= count) return;
    const wide multiplier = (wide)0x2360ED051FC65DA4ull << 64 | 0x4385DF649FCCF645ull;
    const wide increment = (wide)generator[2] << 64 | generator[3];
    wide state = (wide)generator[0] << 64 | generator[1];
    // `first` steps at once: a step is s -> a s + c, and so are two, four, eight ...
    wide a = multiplier, c = increment;
    for (int left = first; left; left >>= 1) {
        if (left & 1) state = a * state + c;
        c *= a + 1;
        a *= a;
    }
    for (int i = first; i < first + each && i < count; ++i) {
        state = multiplier * state + increment;
        const word mixed = (word)(state >> 64) ^ (word)state;
        const int turn = (int)(state >> 122);
        words[i] = mixed >> turn | mixed << (-turn & 63);
    }
}
