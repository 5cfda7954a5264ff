// Small matrix products on blocks of 8 channels, and what follows a convolution.
#pragma once
#include "lanes.hpp"

#if defined(__x86_64__)
#define WITH_FMA __attribute__((target("avx2,fma")))
#else
#define WITH_FMA
#endif

constexpr long group = 6;  // rows per product: with two blocks of outputs they fill the registers

// What a thread's copied or transformed rows may take: they are written and read again for each chunk, and stay in the
// second cache.
constexpr long cache_floats = 96 * 1024;

// Rows of a chunk: a multiple of `group`.
constexpr INLINE long fitting_rows(long floats_per_row) {
    long fitting = cache_floats / floats_per_row / group * group;
    return fitting < 2 * group ? 2 * group : fitting > 8 * group ? 8 * group : fitting;
}

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

// Sums over rows (tiles): dU[c, o] += Σ_row V[row, c] Z[row, o], for Channels of a block's channels from `lane` on and
// Blocks blocks of outputs.
template <int Channels, int Blocks>
INLINE void outer_product(const float *v, int lane, const float *z, long z_stride, long rows, float *du, long du_stride) {
    vec sum[Channels][Blocks];
    for (int c = 0; c < Channels; c++)
        for (int k = 0; k < Blocks; k++) load(sum[c][k], du + k * du_stride + c * 8);
    for (long row = 0; row < rows; row++) {
        vec gradient[Blocks];
        for (int k = 0; k < Blocks; k++) load(gradient[k], z + k * z_stride + row * 8);
#pragma clang loop unroll(full)
        for (int c = 0; c < Channels; c++) {
            float value = v[row * 8 + lane + c];
            for (int k = 0; k < Blocks; k++) sum[c][k] += value * gradient[k];
        }
    }
    for (int c = 0; c < Channels; c++)
        for (int k = 0; k < Blocks; k++) store(sum[c][k], du + k * du_stride + c * 8);
}

// The same for all blocks: V is [block of c][row][8] and Z [block of o][row][8], the blocks `v_stride` and `z_stride`
// floats apart, dU is [block of o][c][8].
INLINE void outer_products(const float *v, long v_stride, long inputs, const float *z, long z_stride, long outputs,
                           long rows, float *du) {
    long du_stride = inputs * 8 * 8;
    for (long block = 0; block < outputs; block += 2)
        for (long in = 0; in < inputs; in++) {
            const float *from = v + in * v_stride, *to = z + block * z_stride;
            float *target = du + block * du_stride + in * 8 * 8;
            if (block + 1 < outputs) {
                outer_product<4, 2>(from, 0, to, z_stride, rows, target, du_stride);
                outer_product<4, 2>(from, 4, to, z_stride, rows, target + 4 * 8, du_stride);
            } else {
                outer_product<8, 1>(from, 0, to, z_stride, rows, target, du_stride);
            }
        }
}

// The products of all rows of a chunk, a multiple of `group`, with the panels of some blocks of outputs. U is [blocks in
// pairs][c][8 or 16], M [block of o from first_block on][row][8], the blocks `v_stride` and `m_stride` floats apart.
INLINE void products(const float *v, long v_stride, long inputs, const float *u, long outputs, long rows, float *m,
                     long m_stride, long first_block, long last_block) {
    for (long block = first_block; block < last_block; block += 2) {
        const float *panel = u + block * 8 * inputs * 8;
        float *target = m + (block - first_block) * m_stride;
        long row = 0;
        if (block + 1 < outputs) {
            for (; row < rows; row += group)
                product<group, 2>(v + row * 8, v_stride, panel, inputs, target + row * 8, m_stride);
        } else {
            for (; row + 2 * group <= rows; row += 2 * group)
                product<2 * group, 1>(v + row * 8, v_stride, panel, inputs, target + row * 8, m_stride);
            for (; row < rows; row += group)
                product<group, 1>(v + row * 8, v_stride, panel, inputs, target + row * 8, m_stride);
        }
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
    // At slope 0 by comparison, because −∞ · 0 is no number; NaN stays NaN.
    if (after.rectifies && after.slope == 0) value = value < 0 ? vec{} : value;
    else if (after.rectifies) value = value > 0 ? value : value * after.slope;
    result.part[0] = value;
    store(result, to);
}
