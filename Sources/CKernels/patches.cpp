#include "products.hpp"

namespace {

constexpr long taps = 9;

long padded_pixels(const ck_conv3x3 &s) { return (s.n * s.p * s.q + group - 1) / group * group; }

// V[block · 9 + tap][pixel][8]: what each tap of each pixel's window sees, zeros outside of the map.
INLINE void gather(const ck_conv3x3 &s, const float *x, float *v) {
    long pixels = padded_pixels(s), filled = s.n * s.p * s.q;
    Lanes<1> zero, value;
    clear(zero);
    for (long block = 0; block < blocks(s.c); block++)
        for (long tap = 0; tap < taps; tap++) {
            float *to = v + (block * taps + tap) * pixels * 8;
            for (long pixel = 0; pixel < pixels; pixel++) {
                long image = pixel / (s.p * s.q), inside = pixel % (s.p * s.q);
                long row = inside / s.q - s.pad_top + tap / 3, column = inside % s.q - s.pad_left + tap % 3;
                bool is_inside = pixel < filled && row >= 0 && row < s.h && column >= 0 && column < s.w;
                if (is_inside) load(value, x + (((image * blocks(s.c) + block) * s.h + row) * s.w + column) * 8);
                store(is_inside ? value : zero, to + pixel * 8);
            }
        }
}

// The product a stretch of inputs at a time, which stays in the first cache for all groups of pixels.
template <int Blocks>
INLINE void multiply(const float *v, const float *panel, long depth, long pixels, float *m) {
    constexpr long stretch = 32;
    for (long start = 0; start < depth; start += stretch) {
        long count = depth - start < stretch ? depth - start : stretch;
        for (long row = 0; row < pixels; row += group) {
            const float *rows = v + (start * pixels + row) * 8, *weights = panel + start * 8 * Blocks * 8;
            if (start == 0) product<group, Blocks>(rows, pixels * 8, weights, count, m + row * 8, pixels * 8);
            else product<group, Blocks, true>(rows, pixels * 8, weights, count, m + row * 8, pixels * 8);
        }
    }
}

}  // namespace

extern "C" {

size_t ck_patches_weight_count(long c, long o) { return (size_t)(taps * blocks(c) * 8 * blocks(o) * 8); }

size_t ck_patches_scratch_count(const ck_conv3x3 *shape) {
    return (size_t)(padded_pixels(*shape) * 8 * (taps * blocks(shape->c) + 2));
}

void ck_patches_pack(const float *weights, long o, long c, float *packed) {
    long outputs = blocks(o);
    for (long block = 0; block < outputs; block++) {
        bool has_partner = block % 2 == 1 || block + 1 < outputs;
        float *panel = packed + block / 2 * 2 * taps * blocks(c) * 64 + block % 2 * 8;
        for (long row = 0; row < taps * blocks(c) * 8; row++) {
            long tap = row / 8 % taps, input = row / 8 / taps * 8 + row % 8;
            for (long lane = 0; lane < 8; lane++) {
                long output = block * 8 + lane;
                bool is_used = input < c && output < o;
                panel[row * (has_partner ? 16 : 8) + lane] = is_used ? weights[(output * c + input) * taps + tap] : 0;
            }
        }
    }
}

WITH_FMA void ck_patches_run(const ck_conv3x3 *shape, const float *x, const float *packed, const ck_epilogue *epilogue,
                             float *y, float *scratch, long first_block, long last_block) {
    const ck_conv3x3 s = *shape;
    const ck_epilogue after = *epilogue;
    long pixels = padded_pixels(s), depth = taps * blocks(s.c), outputs = blocks(s.o), area = s.p * s.q;
    float *v = scratch, *m = scratch + depth * pixels * 8;
    gather(s, x, v);
    for (long block = first_block; block < last_block; block += 2) {
        const float *panel = packed + block * depth * 64;
        long width = block + 1 < outputs ? 2 : 1;
        if (width == 2) multiply<2>(v, panel, depth, pixels, m);
        else multiply<1>(v, panel, depth, pixels, m);
        for (long k = 0; k < width; k++) {
            Lanes<1> bias = bias_of(after, block + k, s.o);
            for (long pixel = 0; pixel < s.n * area; pixel++) {
                Lanes<1> value;
                load(value, m + (k * pixels + pixel) * 8);
                finish(value.part[0], bias, after, y + ((pixel / area * outputs + block + k) * area + pixel % area) * 8);
            }
        }
    }
}

}  // extern "C"
