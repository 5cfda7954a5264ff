// How the output is cut into tiles, and the windows of input they need.
#pragma once
#include "winograd.hpp"

INLINE long round_up(long value, long to) { return (value + to - 1) / to * to; }

struct Tiling {
    long rows, columns, total, chunk;

    explicit Tiling(const ck_convolution &s)
        : rows(s.kh == 3 ? (s.p + 3) / 4 : s.p), columns(s.kw == 3 ? (s.q + 3) / 4 : s.q), total(s.n * rows * columns) {
        chunk = fitting_rows(points_of(s) * 8 * (blocks(s.c) + blocks(s.o)));
        if (total < chunk) chunk = round_up(total, group);
    }

    long chunk_for(long count) const { return count < chunk ? round_up(count, group) : chunk; }
};

// Where a tile lies: its image, row and column, counted in tiles.
struct Position {
    long image, row, column;

    Position(const Tiling &tiling, long tile) {
        long inside = tile % (tiling.rows * tiling.columns);
        image = tile / (tiling.rows * tiling.columns);
        row = inside / tiling.columns;
        column = inside % tiling.columns;
    }

    INLINE void advance(const Tiling &tiling) {
        if (++column < tiling.columns) return;
        column = 0;
        if (++row < tiling.rows) return;
        row = 0;
        image++;
    }
};

// Side of H×W pixels of a block's map at (row, column), zeros where they are outside of it, to HOut×WOut vectors,
// `stride` floats apart.
template <typename Side, int H, int W, int HOut, int WOut>
INLINE void transform_pixels(const float *map, long h, long w, long row, long column, float *to, long stride) {
    auto write = [&](const vec &value, int i, int j) INLINED { store(value, to + (i * WOut + j) * stride); };
    if (row >= 0 && column >= 0 && row + H <= h && column + W <= w) {
        const float *corner = map + (row * w + column) * 8;
        transform<Side, H, W, HOut, WOut>(
            [&](vec &pixel, int i, int j) INLINED { load(pixel, corner + (i * w + j) * 8); }, write);
        return;
    }
    transform<Side, H, W, HOut, WOut>(
        [&](vec &pixel, int i, int j) INLINED {
            long y = row + i, x = column + j;
            if (y >= 0 && y < h && x >= 0 && x < w) load(pixel, map + (y * w + x) * 8);
            else pixel = vec{};
        },
        write);
}

// Tiles of `transformed` that no image fills hold zeros: what lies in the scratch may be no number.
INLINE void clear_surplus(float *transformed, long rows, long chunk, long filled) {
    for (long row = 0; row < rows; row++)
        for (long tile = filled; tile < chunk; tile++) store(vec{}, transformed + (row * chunk + tile) * 8);
}

// Bᵀ d B of the windows of `count` tiles from `first` on: V is [block][point][tile][8].
template <int KH, int KW>
INLINE void transform_inputs(Kernel<KH, KW>, const ck_convolution &s, const Tiling &tiling, long chunk, const float *x,
                             long first, long count, float *v) {
    using K = Kernel<KH, KW>;
    constexpr int h = K::Rows::points, w = K::Columns::points;
    // The gradient of the input is a convolution with the turned kernel, padded by what is missing to its size.
    long top = s.is_gradient ? KH - 1 - s.pad_top : s.pad_top, left = s.is_gradient ? KW - 1 - s.pad_left : s.pad_left;
    Position at(tiling, first);
    for (long tile = 0; tile < count; tile++, at.advance(tiling)) {
        long row = at.row * K::Rows::tile - top, column = at.column * K::Columns::tile - left;
        for (long block = 0; block < blocks(s.c); block++) {
            const float *map = x + (at.image * blocks(s.c) + block) * s.h * s.w * 8;
            transform_pixels<FromPixels, h, w, h, w>(map, s.h, s.w, row, column,
                                                     v + (block * K::points * chunk + tile) * 8, chunk * 8);
        }
    }
    clear_surplus(v, blocks(s.c) * K::points, chunk, count);
}
