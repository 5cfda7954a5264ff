// The transforms of Winograd's F(4×4, 3×3) with the points 0, ±1, ±2, ∞ (Lavin and Gray, Fast Algorithms for
// Convolutional Neural Networks, CVPR 2016, arXiv:1509.09308, section 4.3): y = Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A for a kernel
// g of 3×3 and a tile d of 6×6 pixels gives 4×4 pixels y. Each function is one side of one of these products.
#pragma once
#include "products.hpp"

constexpr long points = 36;

// Bᵀ d
INLINE void from_pixels(const vec &d0, const vec &d1, const vec &d2, const vec &d3, const vec &d4, const vec &d5, vec &t0,
                        vec &t1, vec &t2, vec &t3, vec &t4, vec &t5) {
    vec even = d4 - 4.0f * d2, odd = d3 - 4.0f * d1, near = d4 - d2, far = 2.0f * (d3 - d1);
    t0 = 4.0f * d0 - 5.0f * d2 + d4;
    t1 = even + odd;
    t2 = even - odd;
    t3 = near + far;
    t4 = near - far;
    t5 = 4.0f * d1 - 5.0f * d3 + d5;
}

// Aᵀ m
INLINE void to_pixels(const vec &m0, const vec &m1, const vec &m2, const vec &m3, const vec &m4, const vec &m5, vec &y0,
                      vec &y1, vec &y2, vec &y3) {
    vec sum1 = m1 + m2, difference1 = m1 - m2, sum2 = m3 + m4, difference2 = m3 - m4;
    y0 = m0 + sum1 + sum2;
    y1 = difference1 + 2.0f * difference2;
    y2 = sum1 + 4.0f * sum2;
    y3 = difference1 + 8.0f * difference2 + m5;
}

// A g
INLINE void from_gradient(const vec &g0, const vec &g1, const vec &g2, const vec &g3, vec &z0, vec &z1, vec &z2, vec &z3,
                          vec &z4, vec &z5) {
    vec even1 = g0 + g2, odd1 = g1 + g3, even2 = g0 + 4.0f * g2, odd2 = 2.0f * g1 + 8.0f * g3;
    z0 = g0;
    z1 = even1 + odd1;
    z2 = even1 - odd1;
    z3 = even2 + odd2;
    z4 = even2 - odd2;
    z5 = g3;
}

// G g
INLINE void from_kernel(const vec &g0, const vec &g1, const vec &g2, vec &u0, vec &u1, vec &u2, vec &u3, vec &u4, vec &u5) {
    vec even1 = (g0 + g2) * (1.0f / 6), odd1 = g1 * (1.0f / 6);
    vec even2 = g0 * (1.0f / 24) + g2 * (1.0f / 6), odd2 = g1 * (1.0f / 12);
    u0 = g0 * 0.25f;
    u1 = -even1 - odd1;
    u2 = odd1 - even1;
    u3 = even2 + odd2;
    u4 = even2 - odd2;
    u5 = g2;
}

// Gᵀ u
INLINE void to_kernel(const vec &u0, const vec &u1, const vec &u2, const vec &u3, const vec &u4, const vec &u5, vec &g0,
                      vec &g1, vec &g2) {
    vec sum1 = u1 + u2, sum2 = u3 + u4;
    g0 = u0 * 0.25f - sum1 * (1.0f / 6) + sum2 * (1.0f / 24);
    g1 = (u2 - u1) * (1.0f / 6) + (u3 - u4) * (1.0f / 12);
    g2 = (sum2 - sum1) * (1.0f / 6) + u5;
}
