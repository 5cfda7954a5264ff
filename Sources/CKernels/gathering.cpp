// Convolutions as matrix products: for each tap the pixels of input that it meets are copied next to each other, which
// costs a small part of the products where a pixel of output takes 8 inputs or more to 8 outputs or more.
#include "products.hpp"

namespace {

constexpr long most_taps = 25;
constexpr long most_rows = fitting_rows(1);

// Floats of V and M for each pixel of output.
INLINE long row_floats(const ck_convolution &s) { return 8 * (s.kh * s.kw * blocks(s.c) + blocks(s.o)); }

alignas(32) const float zeros[8] = {};

// Pixels of output that the same taps meet: all of them, or where strides of 2 are turned round, those with the same
// parities.
struct Phase {
    long row, column, row_step, column_step, rows, columns;
    long first_tap, taps;  // in the order of all phases
    long tap_row[most_taps], tap_column[most_taps];

    long pixels() const { return rows * columns; }
};

struct Phases {
    Phase phase[4];
    int count = 0;

    explicit Phases(const ck_convolution &s) {
        long row_step = s.is_gradient ? s.stride_h : 1, column_step = s.is_gradient ? s.stride_w : 1, first_tap = 0;
        for (long row = 0; row < row_step; row++)
            for (long column = 0; column < column_step; column++) {
                long rows = (s.p - row + row_step - 1) / row_step, columns = (s.q - column + column_step - 1) / column_step;
                phase[count] = {row, column, row_step, column_step, rows, columns, first_tap, 0, {}, {}};
                add_taps(s, phase[count]);
                first_tap += phase[count++].taps;
            }
    }

    static void add_taps(const ck_convolution &s, Phase &phase) {
        for (long i = 0; i < s.kh; i++)
            for (long j = 0; j < s.kw; j++) {
                bool meets_rows = (phase.row + s.pad_top - i) % phase.row_step == 0;
                bool meets_columns = (phase.column + s.pad_left - j) % phase.column_step == 0;
                if (!meets_rows || !meets_columns) continue;
                phase.tap_row[phase.taps] = i;
                phase.tap_column[phase.taps++] = j;
            }
    }
};

// Where the tap meets the input along an axis; what lies outside is the padding.
INLINE long meeting(long output, long tap, long stride, long pad, bool is_gradient) {
    return is_gradient ? (output + pad - tap) >> (stride - 1) : output * stride - pad + tap;
}

// Some pixels of a phase, counted through all images.
struct Chunk {
    long count, rows;  // pixels, and the rows of V for them
    long targets[most_rows];  // in the maps of the first block of outputs
    long sources[most_taps][most_rows];  // in those of the first block of inputs, or -1

    INLINE Chunk(const ck_convolution &s, const Phase &phase, long first, long count, long rows) : count(count), rows(rows) {
        long image = first / phase.pixels(), i = first % phase.pixels() / phase.columns, j = first % phase.columns;
        for (long pixel = 0, run; pixel < count; pixel += run) {
            run = phase.columns - j < count - pixel ? phase.columns - j : count - pixel;
            add_run(s, phase, image, i, j, pixel, run);
            j = 0;
            if (++i < phase.rows) continue;
            i = 0;
            image++;
        }
        for (long tap = 0; tap < phase.taps; tap++)
            for (long pixel = count; pixel < rows; pixel++) sources[tap][pixel] = -1;
    }

    // Pixels of one row from the phase's (i, j) on.
    INLINE void add_run(const ck_convolution &s, const Phase &phase, long image, long i, long j, long pixel, long run) {
        long row = phase.row + i * phase.row_step, column = phase.column + j * phase.column_step;
        long start = (image * blocks(s.o) * s.p + row) * s.q + column;
        for (long k = 0; k < run; k++) targets[pixel + k] = start + k * phase.column_step;
        for (long tap = 0; tap < phase.taps; tap++) {
            long y = meeting(row, phase.tap_row[tap], s.stride_h, s.pad_top, s.is_gradient);
            long x = meeting(column, phase.tap_column[tap], s.stride_w, s.pad_left, s.is_gradient);
            long from = (image * blocks(s.c) * s.h + y) * s.w, width = y >= 0 && y < s.h ? s.w : 0;
            long step = s.is_gradient ? 1 : s.stride_w;
            for (long k = 0; k < run; k++, x += step) sources[tap][pixel + k] = x >= 0 && x < width ? from + x : -1;
        }
    }

    // V, [tap][block of c][row][8]: zeros where a tap meets nothing.
    INLINE void gather(const ck_convolution &s, long taps, const float *x, float *v) const {
        for (long tap = 0; tap < taps; tap++)
            for (long block = 0; block < blocks(s.c); block++, v += rows * 8) {
                const float *map = x + block * s.h * s.w * 8;
                for (long row = 0; row < rows; row++) {
                    long source = sources[tap][row];
                    vec value;
                    load(value, source >= 0 ? map + source * 8 : zeros);
                    store(value, v + row * 8);
                }
            }
    }
};

int fits(const ck_convolution *s) {
    return s->kh * s->kw <= most_taps && (s->stride_h == 1 || s->stride_h == 2) && (s->stride_w == 1 || s->stride_w == 2);
}

long tile_count(const ck_convolution *s) { return s->n * s->p * s->q; }

size_t weight_count(const ck_convolution *s) {
    return (size_t)(s->kh * s->kw * blocks(s->c) * 8 * blocks(s->o) * 8);
}

size_t scratch_count(const ck_convolution *s) {
    return (size_t)(fitting_rows(row_floats(*s)) * row_floats(*s));
}

// U is [phase][blocks of outputs in pairs][tap][c][8 or 16].
void pack(const ck_convolution *shape, const float *weights, float *packed) {
    const ck_convolution s = *shape;
    const Phases phases(s);
    long padded = blocks(s.c) * 8, outputs = blocks(s.o);
    for (int index = 0; index < phases.count; index++) {
        const Phase &phase = phases.phase[index];
        for (long block = 0; block < outputs; block++) {
            long width = block % 2 == 1 || block + 1 < outputs ? 16 : 8;
            float *panel = packed + (phase.first_tap * outputs + block / 2 * 2 * phase.taps) * padded * 8 + block % 2 * 8;
            for (long tap = 0; tap < phase.taps; tap++)
                for (long c = 0; c < padded; c++)
                    for (long lane = 0; lane < 8; lane++) {
                        long o = block * 8 + lane, place = phase.tap_row[tap] * s.kw + phase.tap_column[tap];
                        long at = (s.is_gradient ? c * s.o + o : o * s.c + c) * s.kh * s.kw + place;
                        panel[(tap * padded + c) * width + lane] = c < s.c && o < s.o ? weights[at] : 0;
                    }
        }
    }
}

WITH_FMA void run(const ck_convolution *shape, const float *x, const float *packed, const ck_epilogue *epilogue,
                  float *y, float *scratch, long first_tile, long last_tile, long first_block, long last_block) {
    const ck_convolution s = *shape;
    const ck_epilogue after = *epilogue;
    const Phases phases(s);
    long most = fitting_rows(row_floats(s)), start = 0;
    float *v = scratch, *m = scratch + most * 8 * s.kh * s.kw * blocks(s.c);
    for (int index = 0; index < phases.count; index++) {
        const Phase &phase = phases.phase[index];
        long end = start + s.n * phase.pixels(), last = last_tile < end ? last_tile : end;
        const float *panels = packed + phase.first_tap * blocks(s.o) * blocks(s.c) * 64;
        for (long first = first_tile > start ? first_tile : start; first < last; first += most) {
            long count = last - first < most ? last - first : most, rows = (count + group - 1) / group * group;
            Chunk chunk(s, phase, first - start, count, rows);
            chunk.gather(s, phase.taps, x, v);
            products(v, rows * 8, phase.taps * blocks(s.c), panels, blocks(s.o), rows, m, rows * 8, first_block, last_block);
            for (long block = first_block; block < last_block; block++) {
                const float *from = m + (block - first_block) * rows * 8;
                Lanes<1> bias = bias_of(after, block, s.o);
                for (long row = 0; row < count; row++) {
                    vec sum;
                    load(sum, from + row * 8);
                    finish(sum, bias, after, y + (chunk.targets[row] + block * s.p * s.q) * 8);
                }
            }
        }
        start = end;
    }
}

// dU is [tap][block of outputs][c][8].
WITH_FMA void share_gradient(const ck_convolution *shape, const float *x, const float *dy, float *du, float *scratch,
                             long first_tile, long last_tile) {
    const ck_convolution s = *shape;
    const Phases phases(s);
    const Phase &all = phases.phase[0];
    long inputs = blocks(s.c), outputs = blocks(s.o), map = s.p * s.q;
    // Equal parts of an image, in which the gradients lie next to each other.
    long most = fitting_rows(row_floats(s)), parts = (map + most - 1) / most, part = (map + parts - 1) / parts;
    __builtin_memset(du, 0, sizeof(float) * weight_count(shape));
    for (long first = first_tile; first < last_tile;) {
        long pixel = first % map, count = last_tile - first < part ? last_tile - first : part;
        if (count > map - pixel) count = map - pixel;
        Chunk chunk(s, all, first, count, count);
        chunk.gather(s, all.taps, x, scratch);
        for (long tap = 0; tap < all.taps; tap++)
            outer_products(scratch + tap * inputs * count * 8, count * 8, inputs, dy + chunk.targets[0] * 8, map * 8, outputs,
                           count, du + tap * outputs * inputs * 64);
        first += count;
    }
}

void sum_gradient(const ck_convolution *shape, const float *du, size_t stride, int shares, float *dw, long first_block,
                  long last_block) {
    const ck_convolution s = *shape;
    long taps = s.kh * s.kw, padded = blocks(s.c) * 8, outputs = blocks(s.o);
    for (long o = first_block * 8; o < last_block * 8 && o < s.o; o++)
        for (long c = 0; c < s.c; c++)
            for (long tap = 0; tap < taps; tap++) {
                const float *from = du + ((tap * outputs + o / 8) * padded + c) * 8 + o % 8;
                float sum = 0;
                for (int share = 0; share < shares; share++) sum += from[share * stride];
                dw[(o * s.c + c) * taps + tap] = sum;
            }
}

}  // namespace

const ck_algorithm ck_gathering = {"gathering:avx2", fits, tile_count, weight_count, scratch_count, pack, run,
                                   share_gradient, sum_gradient};
