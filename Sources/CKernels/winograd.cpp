#include "winograd_tiles.hpp"

namespace {

// Aᵀ m A of one block of outputs of one tile, and what follows the convolution.
template <int KH, int KW>
INLINE void transform_output(Kernel<KH, KW>, const ck_convolution &s, const float *m, long stride,
                             const ck_epilogue &after, const Lanes<1> &bias, const Position &at, float *map) {
    using K = Kernel<KH, KW>;
    constexpr int points_w = K::Columns::points, tile_h = K::Rows::tile, tile_w = K::Columns::tile;
    long height = s.p - at.row * tile_h, width = s.q - at.column * tile_w;
    float *corner = map + (at.row * tile_h * s.q + at.column * tile_w) * 8;
    transform<ToPixels, K::Rows::points, points_w, tile_h, tile_w>(
        [&](vec &point, int i, int j) INLINED { load(point, m + (i * points_w + j) * stride); },
        [&](const vec &pixel, int i, int j) INLINED {
            if (i < height && j < width) finish(pixel, bias, after, corner + (i * s.q + j) * 8);
        });
}

// All points of a chunk. V and M are [block][point][tile][8], U is [point][blocks in pairs][c][8 or 16].
INLINE void products(const ck_convolution &s, long points, long chunk, const float *v, const float *u, float *m,
                     long first_block, long last_block) {
    long inputs = blocks(s.c), outputs = blocks(s.o), stride = points * chunk * 8;
    for (long point = 0; point < points; point++) {
        const float *v_point = v + point * chunk * 8, *u_point = u + point * inputs * 8 * outputs * 8;
        for (long block = first_block; block < last_block; block += 2) {
            const float *panel = u_point + block * 8 * inputs * 8;
            float *target = m + (block - first_block) * stride + point * chunk * 8;
            long tile = 0;
            if (block + 1 < outputs) {
                for (; tile < chunk; tile += group)
                    product<group, 2>(v_point + tile * 8, stride, panel, inputs, target + tile * 8, stride);
            } else {
                for (; tile + 2 * group <= chunk; tile += 2 * group)
                    product<2 * group, 1>(v_point + tile * 8, stride, panel, inputs, target + tile * 8, stride);
                for (; tile < chunk; tile += group)
                    product<group, 1>(v_point + tile * 8, stride, panel, inputs, target + tile * 8, stride);
            }
        }
    }
}

template <int KH, int KW>
INLINE void run(Kernel<KH, KW> kernel, const ck_convolution &s, const float *x, const float *packed,
                const ck_epilogue &after, float *y, float *scratch, long first_tile, long last_tile, long first_block,
                long last_block) {
    Tiling tiling(s);
    float *v = scratch, *m = scratch + tiling.chunk * kernel.points * 8 * blocks(s.c);
    for (long first = first_tile; first < last_tile; first += tiling.chunk) {
        long count = last_tile - first < tiling.chunk ? last_tile - first : tiling.chunk;
        long chunk = tiling.chunk_for(count);
        transform_inputs(kernel, s, tiling, chunk, x, first, count, v);
        products(s, kernel.points, chunk, v, packed, m, first_block, last_block);
        for (long block = first_block; block < last_block; block++) {
            const float *from = m + (block - first_block) * kernel.points * chunk * 8;
            Lanes<1> bias = bias_of(after, block, s.o);
            Position at(tiling, first);
            for (long tile = 0; tile < count; tile++, at.advance(tiling))
                transform_output(kernel, s, from + tile * 8, chunk * 8, after, bias, at,
                                 y + (at.image * blocks(s.o) + block) * s.p * s.q * 8);
        }
    }
}

}  // namespace

extern "C" {

long ck_winograd_tile_count(const ck_convolution *shape) { return Tiling(*shape).total; }

size_t ck_winograd_scratch_count(const ck_convolution *shape) {
    return (size_t)(Tiling(*shape).chunk * points_of(*shape) * 8 * (blocks(shape->c) + blocks(shape->o)));
}

WITH_FMA void ck_winograd_run(const ck_convolution *shape, const float *x, const float *packed,
                              const ck_epilogue *epilogue, float *y, float *scratch, long first_tile, long last_tile,
                              long first_block, long last_block) {
    const ck_convolution s = *shape;
    const ck_epilogue after = *epilogue;
    with_kernel(s, [&](auto kernel) INLINED {
        run(kernel, s, x, packed, after, y, scratch, first_tile, last_tile, first_block, last_block);
    });
}

}  // extern "C"
