#include "winograd.hpp"

namespace {

// What a thread's transformed tiles may take: they are written and read again for each chunk of tiles, and stay in the
// second cache.
constexpr long cache_floats = 96 * 1024;
long round_up(long value, long to) { return (value + to - 1) / to * to; }

struct Tiling {
    long rows, columns, total, chunk;

    explicit Tiling(const ck_conv3x3 &s)
        : rows((s.p + 3) / 4), columns((s.q + 3) / 4), total(s.n * rows * columns) {
        long fitting = cache_floats / (points * 8 * (blocks(s.c) + blocks(s.o))) / group * group;
        chunk = fitting < 2 * group ? 2 * group : fitting > 8 * group ? 8 * group : fitting;
        if (total < chunk) chunk = round_up(total, group);
    }
};

// Where a tile lies: its image, and its first row and column of output.
struct Position {
    long image, row, column;

    Position(const Tiling &tiling, long tile) {
        long per_image = tiling.rows * tiling.columns, inside = tile % per_image;
        image = tile / per_image;
        row = inside / tiling.columns * 4;
        column = inside % tiling.columns * 4;
    }
};

// Copies height × width pixels at (row, column), zeros where they are outside of the map.
template <int Height, int Width>
INLINE void cut(const float *map, long h, long w, long row, long column, float *patch) {
    for (long i = 0; i < Height; i++) {
        bool inside = row + i >= 0 && row + i < h;
        for (long j = 0; j < Width; j++) {
            Lanes<1> pixel;
            if (inside && column + j >= 0 && column + j < w) load(pixel, map + ((row + i) * w + column + j) * 8);
            else clear(pixel);
            store(pixel, patch + (i * Width + j) * 8);
        }
    }
}

// One block of channels of one tile: 6×6 pixels d to the 36 points of Bᵀ d B, `stride` floats apart.
INLINE void transform_input(const ck_conv3x3 &s, const float *map, const Position &at, float *v, long stride) {
    float patch[points * 8];
    long row = at.row - s.pad_top, column = at.column - s.pad_left;
    const float *d = map + (row * s.w + column) * 8;
    long pitch = s.w * 8;
    if (row < 0 || column < 0 || row + 6 > s.h || column + 6 > s.w) {
        cut<6, 6>(map, s.h, s.w, row, column, patch);
        d = patch;
        pitch = 6 * 8;
    }
    vec half[6][6];
    for (int j = 0; j < 6; j++) {
        Lanes<1> line[6];
        for (int i = 0; i < 6; i++) load(line[i], d + i * pitch + j * 8);
        from_pixels(line[0].part[0], line[1].part[0], line[2].part[0], line[3].part[0], line[4].part[0],
                    line[5].part[0], half[0][j], half[1][j], half[2][j], half[3][j], half[4][j], half[5][j]);
    }
    for (int i = 0; i < 6; i++) {
        Lanes<1> line[6];
        from_pixels(half[i][0], half[i][1], half[i][2], half[i][3], half[i][4], half[i][5], line[0].part[0],
                    line[1].part[0], line[2].part[0], line[3].part[0], line[4].part[0], line[5].part[0]);
        for (int j = 0; j < 6; j++) store(line[j], v + (i * 6 + j) * stride);
    }
}

// The 36 points of one block of outputs back to 4×4 pixels, Aᵀ m A, and what follows the convolution.
INLINE void transform_output(const ck_conv3x3 &s, const float *m, long stride, const ck_epilogue &after, long block,
                             const Position &at, float *map) {
    vec half[4][6];
    for (int j = 0; j < 6; j++) {
        Lanes<1> line[6];
        for (int i = 0; i < 6; i++) load(line[i], m + (i * 6 + j) * stride);
        to_pixels(line[0].part[0], line[1].part[0], line[2].part[0], line[3].part[0], line[4].part[0],
                  line[5].part[0], half[0][j], half[1][j], half[2][j], half[3][j]);
    }
    Lanes<1> bias = bias_of(after, block, s.o);
    long height = s.p - at.row < 4 ? s.p - at.row : 4, width = s.q - at.column < 4 ? s.q - at.column : 4;
    for (long i = 0; i < height; i++) {
        Lanes<1> pixel[4];
        to_pixels(half[i][0], half[i][1], half[i][2], half[i][3], half[i][4], half[i][5], pixel[0].part[0],
                  pixel[1].part[0], pixel[2].part[0], pixel[3].part[0]);
        float *to = map + ((at.row + i) * s.q + at.column) * 8;
        for (long j = 0; j < width; j++) finish(pixel[j].part[0], bias, after, to + j * 8);
    }
}

// All points of a chunk. V and M are [block][point][tile][8], U is [point][blocks in pairs][c][8 or 16].
INLINE void products(const ck_conv3x3 &s, long chunk, const float *v, const float *u, float *m, long first_block,
                     long last_block) {
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

// Tiles of `transformed` that no image fills hold zeros: what lies in the scratch may be no number.
INLINE void clear_surplus(float *transformed, long block_count, long chunk, long filled) {
    Lanes<1> zero;
    clear(zero);
    for (long row = 0; row < block_count * points; row++)
        for (long tile = filled; tile < chunk; tile++) store(zero, transformed + (row * chunk + tile) * 8);
}

INLINE void transform_inputs(const ck_conv3x3 &s, const Tiling &tiling, long chunk, const float *x, long first,
                             long count, float *v) {
    long stride = chunk * 8;
    for (long tile = 0; tile < count; tile++) {
        Position at(tiling, first + tile);
        for (long block = 0; block < blocks(s.c); block++) {
            const float *map = x + (at.image * blocks(s.c) + block) * s.h * s.w * 8;
            transform_input(s, map, at, v + block * points * stride + tile * 8, stride);
        }
    }
    clear_surplus(v, blocks(s.c), chunk, count);
}

// Sums over the tiles of a chunk, at one point: dU[c, o] += Σ_t V[t, c] Z[t, o], for Channels of a block's channels
// from `lane` on and Blocks blocks of outputs.
template <int Channels, int Blocks>
INLINE void outer_product(const float *v, int lane, const float *z, long z_stride, long chunk, float *du, long du_stride) {
    Lanes<1> sum[Channels][Blocks];
    for (int c = 0; c < Channels; c++)
        for (int k = 0; k < Blocks; k++) load(sum[c][k], du + k * du_stride + c * 8);
    for (long tile = 0; tile < chunk; tile++) {
        Lanes<1> gradient[Blocks];
        for (int k = 0; k < Blocks; k++) load(gradient[k], z + k * z_stride + tile * 8);
#pragma clang loop unroll(full)
        for (int c = 0; c < Channels; c++) {
            float value = v[tile * 8 + lane + c];
            for (int k = 0; k < Blocks; k++) sum[c][k].part[0] += value * gradient[k].part[0];
        }
    }
    for (int c = 0; c < Channels; c++)
        for (int k = 0; k < Blocks; k++) store(sum[c][k], du + k * du_stride + c * 8);
}

// dU is [point][block of outputs][c][8].
INLINE void outer_products(const ck_conv3x3 &s, long chunk, const float *v, const float *z, float *du) {
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

// 4×4 pixels g of a gradient to the 36 points of A g Aᵀ, the adjoint of the output's transform.
INLINE void transform_gradient(const ck_conv3x3 &s, const float *map, const Position &at, float *z, long stride) {
    float patch[16 * 8];
    const float *g = map + (at.row * s.q + at.column) * 8;
    long pitch = s.q * 8;
    if (at.row + 4 > s.p || at.column + 4 > s.q) {
        cut<4, 4>(map, s.p, s.q, at.row, at.column, patch);
        g = patch;
        pitch = 4 * 8;
    }
    vec half[6][4];
    for (int j = 0; j < 4; j++) {
        Lanes<1> line[4];
        for (int i = 0; i < 4; i++) load(line[i], g + i * pitch + j * 8);
        from_gradient(line[0].part[0], line[1].part[0], line[2].part[0], line[3].part[0], half[0][j], half[1][j],
                      half[2][j], half[3][j], half[4][j], half[5][j]);
    }
    for (int i = 0; i < 6; i++) {
        Lanes<1> line[6];
        from_gradient(half[i][0], half[i][1], half[i][2], half[i][3], line[0].part[0], line[1].part[0],
                      line[2].part[0], line[3].part[0], line[4].part[0], line[5].part[0]);
        for (int j = 0; j < 6; j++) store(line[j], z + (i * 6 + j) * stride);
    }
}

long chunk_for(const Tiling &tiling, long count) {
    return count < tiling.chunk ? round_up(count, group) : tiling.chunk;
}

}  // namespace

extern "C" {

long ck_winograd_tile_count(const ck_conv3x3 *shape) { return Tiling(*shape).total; }

size_t ck_winograd_scratch_count(const ck_conv3x3 *shape) {
    return (size_t)(Tiling(*shape).chunk * points * 8 * (blocks(shape->c) + blocks(shape->o)));
}

WITH_FMA void ck_winograd_run(const ck_conv3x3 *shape, const float *x, const float *packed,
                              const ck_epilogue *epilogue, float *y, float *scratch, long first_tile, long last_tile,
                              long first_block, long last_block) {
    const ck_conv3x3 s = *shape;
    const ck_epilogue after = *epilogue;
    Tiling tiling(s);
    float *v = scratch, *m = scratch + tiling.chunk * points * 8 * blocks(s.c);
    for (long first = first_tile; first < last_tile; first += tiling.chunk) {
        long count = last_tile - first < tiling.chunk ? last_tile - first : tiling.chunk;
        long chunk = chunk_for(tiling, count);
        transform_inputs(s, tiling, chunk, x, first, count, v);
        products(s, chunk, v, packed, m, first_block, last_block);
        for (long block = first_block; block < last_block; block++)
            for (long tile = 0; tile < count; tile++) {
                Position at(tiling, first + tile);
                transform_output(s, m + ((block - first_block) * points * chunk + tile) * 8, chunk * 8, after, block,
                                 at, y + (at.image * blocks(s.o) + block) * s.p * s.q * 8);
            }
    }
}

WITH_FMA void ck_winograd_gradient(const ck_conv3x3 *shape, const float *x, const float *dy, float *du,
                                   float *scratch, long first_tile, long last_tile) {
    const ck_conv3x3 s = *shape;
    Tiling tiling(s);
    __builtin_memset(du, 0, sizeof(float) * ck_winograd_weight_count(s.c, s.o));
    float *v = scratch, *z = scratch + tiling.chunk * points * 8 * blocks(s.c);
    for (long first = first_tile; first < last_tile; first += tiling.chunk) {
        long count = last_tile - first < tiling.chunk ? last_tile - first : tiling.chunk;
        long chunk = chunk_for(tiling, count);
        transform_inputs(s, tiling, chunk, x, first, count, v);
        for (long tile = 0; tile < count; tile++) {
            Position at(tiling, first + tile);
            for (long block = 0; block < blocks(s.o); block++) {
                const float *map = dy + (at.image * blocks(s.o) + block) * s.p * s.q * 8;
                transform_gradient(s, map, at, z + (block * points * chunk + tile) * 8, chunk * 8);
            }
        }
        clear_surplus(z, blocks(s.o), chunk, count);
        outer_products(s, chunk, v, z, du);
    }
}

}  // extern "C"
