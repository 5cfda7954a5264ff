#include "winograd_tiles.hpp"

namespace {

// A tap of W[O, C, KH, KW]; the gradient of the input is a convolution with inputs and outputs exchanged and both axes
// reversed.
INLINE float tap_of(const ck_convolution &s, const float *w, long output, long input, long tap) {
    long taps = s.kh * s.kw;
    return s.is_gradient ? w[(input * s.o + output) * taps + taps - 1 - tap] : w[(output * s.c + input) * taps + tap];
}

// G g Gᵀ of all points, as products() reads each.
template <int KH, int KW>
INLINE void pack_kernel(Kernel<KH, KW>, const ck_convolution &s, const float *weights, float *packed) {
    using K = Kernel<KH, KW>;
    constexpr int points_h = K::Rows::points, points_w = K::Columns::points;
    long padded = blocks(s.c) * 8, outputs = blocks(s.o);
    for (long block = 0; block < outputs; block++) {
        long width = block % 2 == 1 || block + 1 < outputs ? 16 : 8, used = s.o - block * 8 < 8 ? s.o - block * 8 : 8;
        float *panel = packed + block / 2 * 2 * 8 * padded + block % 2 * 8;
        for (long input = 0; input < padded; input++) {
            float taps[K::taps][8] = {};
            if (input < s.c)
                for (long lane = 0; lane < used; lane++)
                    for (int tap = 0; tap < K::taps; tap++) taps[tap][lane] = tap_of(s, weights, block * 8 + lane, input, tap);
            transform<FromKernel, KH, KW, points_h, points_w>(
                [&](vec &tap, int i, int j) INLINED { load(tap, taps[i * KW + j]); },
                [&](const vec &point, int i, int j) INLINED {
                    store(point, panel + (i * points_w + j) * padded * outputs * 8 + input * width);
                });
        }
    }
}

// A g Aᵀ of the gradients of `count` tiles from `first` on: Z is [block][point][tile][8].
template <int KH, int KW>
INLINE void transform_gradients(Kernel<KH, KW>, const ck_convolution &s, const Tiling &tiling, long chunk,
                                const float *dy, long first, long count, float *z) {
    using K = Kernel<KH, KW>;
    constexpr int h = K::Rows::tile, w = K::Columns::tile;
    Position at(tiling, first);
    for (long tile = 0; tile < count; tile++, at.advance(tiling))
        for (long block = 0; block < blocks(s.o); block++) {
            const float *map = dy + (at.image * blocks(s.o) + block) * s.p * s.q * 8;
            transform_pixels<FromGradient, h, w, K::Rows::points, K::Columns::points>(
                map, s.p, s.q, at.row * h, at.column * w, z + (block * K::points * chunk + tile) * 8, chunk * 8);
        }
    clear_surplus(z, blocks(s.o) * K::points, chunk, count);
}

template <int KH, int KW>
INLINE void gradient(Kernel<KH, KW> kernel, const ck_convolution &s, const float *x, const float *dy, float *du,
                     float *scratch, long first_tile, long last_tile) {
    Tiling tiling(s);
    __builtin_memset(du, 0, sizeof(float) * weight_count(s));
    float *v = scratch, *z = scratch + tiling.chunk * kernel.points * 8 * blocks(s.c);
    for (long first = first_tile; first < last_tile; first += tiling.chunk) {
        long count = last_tile - first < tiling.chunk ? last_tile - first : tiling.chunk;
        long chunk = tiling.chunk_for(count);
        transform_inputs(kernel, s, tiling, chunk, x, first, count, v);
        transform_gradients(kernel, s, tiling, chunk, dy, first, count, z);
        // dU is [point][block of outputs][c][8].
        long stride = kernel.points * chunk * 8;
        for (long point = 0; point < kernel.points; point++)
            outer_products(v + point * chunk * 8, stride, blocks(s.c), z + point * chunk * 8, stride, blocks(s.o), chunk,
                           du + point * blocks(s.o) * blocks(s.c) * 64);
    }
}

// Gᵀ dU G of the sum of all shares.
template <int KH, int KW>
INLINE void finish_gradient(Kernel<KH, KW>, const ck_convolution &s, const float *du, size_t stride, int shares,
                            float *dw, long first_block, long last_block) {
    using K = Kernel<KH, KW>;
    constexpr int points_w = K::Columns::points;
    long padded = blocks(s.c) * 8, outputs = blocks(s.o);
    for (long block = first_block; block < last_block; block++)
        for (long c = 0; c < s.c; c++)
            transform<ToKernel, K::Rows::points, points_w, KH, KW>(
                [&](vec &sum, int i, int j) INLINED {
                    const float *from = du + (((i * points_w + j) * outputs + block) * padded + c) * 8;
                    load(sum, from);
                    for (int other = 1; other < shares; other++) {
                        vec part;
                        load(part, from + other * stride);
                        sum += part;
                    }
                },
                [&](const vec &tap, int i, int j) INLINED {
                    float values[8];
                    store(tap, values);
                    for (long lane = 0; lane < 8 && block * 8 + lane < s.o; lane++)
                        dw[((block * 8 + lane) * s.c + c) * K::taps + i * KW + j] = values[lane];
                });
}

}  // namespace

WITH_FMA void winograd::pack(const ck_convolution *shape, const float *weights, float *packed) {
    const ck_convolution s = *shape;
    with_kernel(s, [&](auto kernel) INLINED { pack_kernel(kernel, s, weights, packed); });
}

WITH_FMA void winograd::share_gradient(const ck_convolution *shape, const float *x, const float *dy, float *du,
                                       float *scratch, long first_tile, long last_tile) {
    with_kernel(*shape, [&](auto kernel) INLINED {
        gradient(kernel, *shape, x, dy, du, scratch, first_tile, last_tile);
    });
}

WITH_FMA void winograd::sum_gradient(const ck_convolution *shape, const float *du, size_t stride, int shares, float *dw,
                                     long first_block, long last_block) {
    with_kernel(*shape, [&](auto kernel) INLINED {
        finish_gradient(kernel, *shape, du, stride, shares, dw, first_block, last_block);
    });
}
