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

template <int KH, int KW>
INLINE void run_tiles(Kernel<KH, KW> kernel, const ck_convolution &s, const float *x, const float *packed,
                const ck_epilogue &after, float *y, float *scratch, long first_tile, long last_tile, long first_block,
                long last_block) {
    Tiling tiling(s);
    float *v = scratch, *m = scratch + tiling.chunk * kernel.points * 8 * blocks(s.c);
    for (long first = first_tile; first < last_tile; first += tiling.chunk) {
        long count = last_tile - first < tiling.chunk ? last_tile - first : tiling.chunk;
        long chunk = tiling.chunk_for(count);
        transform_inputs(kernel, s, tiling, chunk, x, first, count, v);
        // V and M are [block][point][tile][8].
        long stride = kernel.points * chunk * 8;
        for (long point = 0; point < kernel.points; point++)
            products(v + point * chunk * 8, stride, blocks(s.c), packed + point * blocks(s.c) * blocks(s.o) * 64,
                     blocks(s.o), chunk, m + point * chunk * 8, stride, first_block, last_block);
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

int fits(const ck_convolution *s) {
    bool kernel = (s->kh == 3 || s->kh == 1) && (s->kw == 3 || s->kw == 1) && s->kh * s->kw > 1;
    return kernel && s->stride_h == 1 && s->stride_w == 1 && s->pad_top < s->kh && s->pad_left < s->kw;
}

long tile_count(const ck_convolution *shape) { return Tiling(*shape).total; }

size_t weight_count_of(const ck_convolution *shape) { return weight_count(*shape); }

size_t scratch_count(const ck_convolution *shape) {
    return (size_t)(Tiling(*shape).chunk * points_of(*shape) * 8 * (blocks(shape->c) + blocks(shape->o)));
}

WITH_FMA void run(const ck_convolution *shape, const float *x, const float *packed, const ck_epilogue *epilogue,
                  float *y, float *scratch, long first_tile, long last_tile, long first_block, long last_block) {
    const ck_convolution s = *shape;
    const ck_epilogue after = *epilogue;
    with_kernel(s, [&](auto kernel) INLINED {
        run_tiles(kernel, s, x, packed, after, y, scratch, first_tile, last_tile, first_block, last_block);
    });
}

}  // namespace

const ck_algorithm ck_winograd = {"winograd:avx2", fits, tile_count, weight_count_of, scratch_count, winograd::pack,
                                  run, winograd::share_gradient, winograd::sum_gradient};
