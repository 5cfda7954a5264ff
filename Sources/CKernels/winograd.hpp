// The transforms of Winograd's F(4, 3) with the points 0, ±1, ±2, ∞ (Lavin and Gray, Fast Algorithms for Convolutional
// Neural Networks, CVPR 2016, arXiv:1509.09308, section 4.3): y = Aᵀ [(G g) ⊙ (Bᵀ d)] for a kernel g of 3 taps and a
// window d of 6 pixels gives 4 pixels y. Along both axes of a kernel of 3×3 that is F(4×4, 3×3); a kernel of 3×1 or 1×3
// has one such axis, and one of a single tap, along which nothing is transformed.
#pragma once
#include "products.hpp"

// Along an axis of the kernel: the pixels of a tile of output, and the points at which it is multiplied, which are as
// many as the pixels of input it needs.
template <int Taps> struct Axis;
template <> struct Axis<3> { static constexpr int tile = 4, points = 6; };
template <> struct Axis<1> { static constexpr int tile = 1, points = 1; };

template <int KH, int KW> struct Kernel {
    using Rows = Axis<KH>;
    using Columns = Axis<KW>;
    static constexpr int taps = KH * KW;
    static constexpr long points = Rows::points * Columns::points;
};

// Bᵀ d
struct FromPixels {
    static INLINE void along(const vec (&d)[6], vec (&t)[6]) {
        vec even = d[4] - 4.0f * d[2], odd = d[3] - 4.0f * d[1], near = d[4] - d[2], far = 2.0f * (d[3] - d[1]);
        t[0] = 4.0f * d[0] - 5.0f * d[2] + d[4];
        t[1] = even + odd;
        t[2] = even - odd;
        t[3] = near + far;
        t[4] = near - far;
        t[5] = 4.0f * d[1] - 5.0f * d[3] + d[5];
    }
};

// Aᵀ m
struct ToPixels {
    static INLINE void along(const vec (&m)[6], vec (&y)[4]) {
        vec sum1 = m[1] + m[2], difference1 = m[1] - m[2], sum2 = m[3] + m[4], difference2 = m[3] - m[4];
        y[0] = m[0] + sum1 + sum2;
        y[1] = difference1 + 2.0f * difference2;
        y[2] = sum1 + 4.0f * sum2;
        y[3] = difference1 + 8.0f * difference2 + m[5];
    }
};

// A g
struct FromGradient {
    static INLINE void along(const vec (&g)[4], vec (&z)[6]) {
        vec even1 = g[0] + g[2], odd1 = g[1] + g[3], even2 = g[0] + 4.0f * g[2], odd2 = 2.0f * g[1] + 8.0f * g[3];
        z[0] = g[0];
        z[1] = even1 + odd1;
        z[2] = even1 - odd1;
        z[3] = even2 + odd2;
        z[4] = even2 - odd2;
        z[5] = g[3];
    }
};

// G g
struct FromKernel {
    static INLINE void along(const vec (&g)[3], vec (&u)[6]) {
        vec even1 = (g[0] + g[2]) * (1.0f / 6), odd1 = g[1] * (1.0f / 6);
        vec even2 = g[0] * (1.0f / 24) + g[2] * (1.0f / 6), odd2 = g[1] * (1.0f / 12);
        u[0] = g[0] * 0.25f;
        u[1] = -even1 - odd1;
        u[2] = odd1 - even1;
        u[3] = even2 + odd2;
        u[4] = even2 - odd2;
        u[5] = g[2];
    }
};

// Gᵀ u
struct ToKernel {
    static INLINE void along(const vec (&u)[6], vec (&g)[3]) {
        vec sum1 = u[1] + u[2], sum2 = u[3] + u[4];
        g[0] = u[0] * 0.25f - sum1 * (1.0f / 6) + sum2 * (1.0f / 24);
        g[1] = (u[2] - u[1]) * (1.0f / 6) + (u[3] - u[4]) * (1.0f / 12);
        g[2] = (sum2 - sum1) * (1.0f / 6) + u[5];
    }
};

template <typename Side, int In, int Out> INLINE void along(const vec (&from)[In], vec (&to)[Out]) {
    if constexpr (In == 1) to[0] = from[0];
    else Side::along(from, to);
}

// One side of the product along both axes: H×W vectors, of which `read` gets the one at a row and column, to HOut×WOut,
// which `write` gets.
template <typename Side, int H, int W, int HOut, int WOut, typename Read, typename Write>
INLINE void transform(const Read &read, const Write &write) {
    vec half[HOut][W];
    for (int j = 0; j < W; j++) {
        vec column[H], result[HOut];
        for (int i = 0; i < H; i++) read(column[i], i, j);
        along<Side>(column, result);
        for (int i = 0; i < HOut; i++) half[i][j] = result[i];
    }
    for (int i = 0; i < HOut; i++) {
        vec result[WOut];
        along<Side>(half[i], result);
        for (int j = 0; j < WOut; j++) write(result[j], i, j);
    }
}

// Calls body with the kernel that a shape has.
template <typename Body> INLINE void with_kernel(const ck_convolution &shape, const Body &body) {
    if (shape.kh == 1) body(Kernel<1, 3>{});
    else if (shape.kw == 1) body(Kernel<3, 1>{});
    else body(Kernel<3, 3>{});
}

inline long points_of(const ck_convolution &s) { return (s.kh == 1 ? 1 : 6) * (s.kw == 1 ? 1 : 6); }
inline size_t weight_count(const ck_convolution &s) { return (size_t)(points_of(s) * blocks(s.c) * 8 * blocks(s.o) * 8); }

// The work on weights.
namespace winograd {
void pack(const ck_convolution *, const float *weights, float *packed);
void share_gradient(const ck_convolution *, const float *x, const float *dy, float *du, float *scratch, long first_tile,
                    long last_tile);
void sum_gradient(const ck_convolution *, const float *du, size_t stride, int shares, float *dw, long first_block,
                  long last_block);
}  // namespace winograd
