// Small matrix products on blocks of 8 channels, and what follows a convolution.
#pragma once
#include "lanes.hpp"

#if defined(__x86_64__)
#define WITH_FMA __attribute__((target("avx2,fma")))
#else
#define WITH_FMA
#endif

constexpr long group = 6;  // rows per product: with two blocks of outputs they fill the registers

INLINE long blocks(long channels) { return (channels + 7) / 8; }

// M[row, o] = Σ_c V[row, c] U[c, o] for Rows rows (tiles) and Blocks blocks of outputs. V is [block of c][row][8],
// the blocks `v_stride` floats apart, U is [c][Blocks · 8], M is [block of o][row][8].
template <int Rows, int Blocks>
INLINE void product(const float *v, long v_stride, const float *u, long inputs, float *m, long m_stride) {
    vec sum[Rows][Blocks];
    for (int row = 0; row < Rows; row++)
        for (int k = 0; k < Blocks; k++) sum[row][k] = vec{};
    for (long block = 0; block < inputs; block++) {
        const float *from = v + block * v_stride;
        for (int lane = 0; lane < 8; lane++) {
            Lanes<1> weight[Blocks];
            for (int k = 0; k < Blocks; k++) load(weight[k], u + k * 8);
            u += Blocks * 8;
#pragma clang loop unroll(full)
            for (int row = 0; row < Rows; row++) {
                float value = from[row * 8 + lane];
                for (int k = 0; k < Blocks; k++) sum[row][k] += value * weight[k].part[0];
            }
        }
    }
    for (int k = 0; k < Blocks; k++)
        for (int row = 0; row < Rows; row++) {
            Lanes<1> result;
            result.part[0] = sum[row][k];
            store(result, m + k * m_stride + row * 8);
        }
}

// The bias of a block of outputs; the last block may have fewer than 8.
INLINE Lanes<1> bias_of(const ck_epilogue &after, long block, long outputs) {
    Lanes<1> bias;
    float values[8] = {};
    for (long lane = 0; after.bias && lane < 8 && block * 8 + lane < outputs; lane++)
        values[lane] = after.bias[block * 8 + lane];
    load(bias, values);
    return bias;
}

INLINE void finish(const vec &sum, const Lanes<1> &bias, const ck_epilogue &after, float *to) {
    Lanes<1> result;
    vec value = sum + bias.part[0];
    if (after.adds) {
        load(result, to);
        value += result.part[0];
    }
    if (after.rectifies) value = value > 0 ? value : value * after.slope;
    result.part[0] = value;
    store(result, to);
}
