#include "winograd.hpp"

namespace {

// How a kernel W[O, C, 3, 3] is read: as it is, or with inputs and outputs exchanged and both axes reversed, which turns
// the gradient of the input into a convolution.
struct Reading {
    const float *w;
    long o, c;
    bool turned;

    long outputs() const { return turned ? c : o; }
    long inputs() const { return turned ? o : c; }
    float operator()(long output, long input, int tap) const {
        return turned ? w[(input * c + output) * 9 + 8 - tap] : w[(output * c + input) * 9 + tap];
    }
};

INLINE void pack(const Reading &read, float *packed) {
    long inputs = read.inputs(), padded = blocks(inputs) * 8, outputs = blocks(read.outputs());
    for (long block = 0; block < outputs; block++) {
        bool has_partner = block % 2 == 1 || block + 1 < outputs;
        long width = has_partner ? 16 : 8, used = read.outputs() - block * 8 < 8 ? read.outputs() - block * 8 : 8;
        float *panel = packed + block / 2 * 2 * 8 * padded + block % 2 * 8;
        for (long input = 0; input < padded; input++) {
            float taps[9][8] = {};
            if (input < inputs)
                for (long lane = 0; lane < used; lane++)
                    for (int tap = 0; tap < 9; tap++) taps[tap][lane] = read(block * 8 + lane, input, tap);
            vec half[6][3];
            for (int j = 0; j < 3; j++) {
                Lanes<1> g[3];
                for (int i = 0; i < 3; i++) load(g[i], taps[i * 3 + j]);
                from_kernel(g[0].part[0], g[1].part[0], g[2].part[0], half[0][j], half[1][j], half[2][j], half[3][j],
                            half[4][j], half[5][j]);
            }
            for (int i = 0; i < 6; i++) {
                Lanes<1> u[6];
                from_kernel(half[i][0], half[i][1], half[i][2], u[0].part[0], u[1].part[0], u[2].part[0], u[3].part[0],
                            u[4].part[0], u[5].part[0]);
                for (int j = 0; j < 6; j++)
                    store(u[j], panel + (i * 6 + j) * padded * outputs * 8 + input * width);
            }
        }
    }
}

INLINE void finish(const ck_conv3x3 &s, const float *du, size_t partial_stride, int partials, float *dw,
                   long first_block, long last_block) {
    long padded = blocks(s.c) * 8, outputs = blocks(s.o);
    for (long block = first_block; block < last_block; block++)
        for (long c = 0; c < s.c; c++) {
            vec u[6][6], half[3][6];
            for (int point = 0; point < points; point++) {
                const float *from = du + ((point * outputs + block) * padded + c) * 8;
                Lanes<1> sum, part;
                load(sum, from);
                for (int other = 1; other < partials; other++) {
                    load(part, from + other * partial_stride);
                    sum.part[0] += part.part[0];
                }
                u[point / 6][point % 6] = sum.part[0];
            }
            for (int j = 0; j < 6; j++)
                to_kernel(u[0][j], u[1][j], u[2][j], u[3][j], u[4][j], u[5][j], half[0][j], half[1][j], half[2][j]);
            for (int i = 0; i < 3; i++) {
                Lanes<1> g[3];
                to_kernel(half[i][0], half[i][1], half[i][2], half[i][3], half[i][4], half[i][5], g[0].part[0],
                          g[1].part[0], g[2].part[0]);
                for (int j = 0; j < 3; j++) {
                    float values[8];
                    store(g[j], values);
                    for (long lane = 0; lane < 8 && block * 8 + lane < s.o; lane++)
                        dw[((block * 8 + lane) * s.c + c) * 9 + i * 3 + j] = values[lane];
                }
            }
        }
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

size_t ck_winograd_weight_count(long c, long o) { return (size_t)(points * blocks(c) * 8 * blocks(o) * 8); }

WITH_FMA void ck_winograd_pack(const float *weights, long o, long c, int turned, float *packed) {
    pack(Reading{weights, o, c, turned != 0}, packed);
}

WITH_FMA void ck_winograd_finish_gradient(const ck_conv3x3 *shape, const float *du, size_t stride, int partials,
                                          float *dw, long first_block, long last_block) {
    finish(*shape, du, stride, partials, dw, first_block, last_block);
}

}  // extern "C"
