#include "winograd_tiles.hpp"

namespace {

// How a kernel W[O, C, KH, KW] is read: as it is, or with inputs and outputs exchanged and both axes reversed, which
// turns the gradient of the input into a convolution.
struct Reading {
    const float *w;
    long o, c, taps;
    bool turned;

    long outputs() const { return turned ? c : o; }
    long inputs() const { return turned ? o : c; }
    float operator()(long output, long input, long tap) const {
        return turned ? w[(input * c + output) * taps + taps - 1 - tap] : w[(output * c + input) * taps + tap];
    }
};

// G g Gᵀ, as products() reads it.
template <int KH, int KW> INLINE void pack(Kernel<KH, KW>, const Reading &read, float *packed) {
    using K = Kernel<KH, KW>;
    constexpr int points_h = K::Rows::points, points_w = K::Columns::points;
    long inputs = read.inputs(), padded = blocks(inputs) * 8, outputs = blocks(read.outputs());
    for (long block = 0; block < outputs; block++) {
        bool has_partner = block % 2 == 1 || block + 1 < outputs;
        long width = has_partner ? 16 : 8, used = read.outputs() - block * 8 < 8 ? read.outputs() - block * 8 : 8;
        float *panel = packed + block / 2 * 2 * 8 * padded + block % 2 * 8;
        for (long input = 0; input < padded; input++) {
            float taps[K::taps][8] = {};
            if (input < inputs)
                for (long lane = 0; lane < used; lane++)
                    for (int tap = 0; tap < K::taps; tap++) taps[tap][lane] = read(block * 8 + lane, input, tap);
            transform<FromKernel, KH, KW, points_h, points_w>(
                [&](vec &tap, int i, int j) INLINED { load(tap, taps[i * KW + j]); },
                [&](const vec &point, int i, int j) INLINED {
                    store(point, panel + (i * points_w + j) * padded * outputs * 8 + input * width);
                });
        }
    }
}

// Sums over the tiles of a chunk, at one point: dU[c, o] += Σ_t V[t, c] Z[t, o], for Channels of a block's channels
// from `lane` on and Blocks blocks of outputs.
template <int Channels, int Blocks>
INLINE void outer_product(const float *v, int lane, const float *z, long z_stride, long chunk, float *du, long du_stride) {
    vec sum[Channels][Blocks];
    for (int c = 0; c < Channels; c++)
        for (int k = 0; k < Blocks; k++) load(sum[c][k], du + k * du_stride + c * 8);
    for (long tile = 0; tile < chunk; tile++) {
        vec gradient[Blocks];
        for (int k = 0; k < Blocks; k++) load(gradient[k], z + k * z_stride + tile * 8);
#pragma clang loop unroll(full)
        for (int c = 0; c < Channels; c++) {
            float value = v[tile * 8 + lane + c];
            for (int k = 0; k < Blocks; k++) sum[c][k] += value * gradient[k];
        }
    }
    for (int c = 0; c < Channels; c++)
        for (int k = 0; k < Blocks; k++) store(sum[c][k], du + k * du_stride + c * 8);
}

// dU is [point][block of outputs][c][8].
INLINE void outer_products(const ck_convolution &s, long points, long chunk, const float *v, const float *z, float *du) {
    long inputs = blocks(s.c), outputs = blocks(s.o), stride = points * chunk * 8, du_stride = inputs * 8 * 8;
    for (long point = 0; point < points; point++)
        for (long block = 0; block < outputs; block += 2)
            for (long in = 0; in < inputs; in++) {
                const float *from = v + in * stride + point * chunk * 8, *to = z + block * stride + point * chunk * 8;
                float *target = du + (point * outputs + block) * du_stride + in * 8 * 8;
                if (block + 1 < outputs) {
                    outer_product<4, 2>(from, 0, to, stride, chunk, target, du_stride);
                    outer_product<4, 2>(from, 4, to, stride, chunk, target + 4 * 8, du_stride);
                } else {
                    outer_product<8, 1>(from, 0, to, stride, chunk, target, du_stride);
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
    __builtin_memset(du, 0, sizeof(float) * ck_winograd_weight_count(&s));
    float *v = scratch, *z = scratch + tiling.chunk * kernel.points * 8 * blocks(s.c);
    for (long first = first_tile; first < last_tile; first += tiling.chunk) {
        long count = last_tile - first < tiling.chunk ? last_tile - first : tiling.chunk;
        long chunk = tiling.chunk_for(count);
        transform_inputs(kernel, s, tiling, chunk, x, first, count, v);
        transform_gradients(kernel, s, tiling, chunk, dy, first, count, z);
        outer_products(s, kernel.points, chunk, v, z, du);
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

extern "C" {

int ck_winograd_is_available(void) {
#if defined(__x86_64__)
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#else
    return 0;
#endif
}

size_t ck_winograd_weight_count(const ck_convolution *shape) {
    return (size_t)(points_of(*shape) * blocks(shape->c) * 8 * blocks(shape->o) * 8);
}

WITH_FMA void ck_winograd_pack(const ck_convolution *shape, const float *weights, int turned, float *packed) {
    with_kernel(*shape, [&](auto kernel) INLINED {
        if (turned) pack(kernel, Reading{weights, shape->c, shape->o, kernel.taps, true}, packed);
        else pack(kernel, Reading{weights, shape->o, shape->c, kernel.taps, false}, packed);
    });
}

WITH_FMA void ck_winograd_gradient(const ck_convolution *shape, const float *x, const float *dy, float *du,
                                   float *scratch, long first_tile, long last_tile) {
    with_kernel(*shape, [&](auto kernel) INLINED {
        gradient(kernel, *shape, x, dy, du, scratch, first_tile, last_tile);
    });
}

WITH_FMA void ck_winograd_finish_gradient(const ck_convolution *shape, const float *du, size_t stride, int shares,
                                          float *dw, long first_block, long last_block) {
    with_kernel(*shape, [&](auto kernel) INLINED {
        finish_gradient(kernel, *shape, du, stride, shares, dw, first_block, last_block);
    });
}

}  // extern "C"
