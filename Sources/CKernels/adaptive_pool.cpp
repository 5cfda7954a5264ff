#include "lanes.hpp"

namespace {

template <int G>
INLINE void pool(const float *x, long height, long width, long rows, long columns, int used, float *y) {
    for (long p = 0; p < rows; p++) {
        long top = p * height / rows, bottom = ((p + 1) * height + rows - 1) / rows;
        for (long q = 0; q < columns; q++) {
            long left = q * width / columns, right = ((q + 1) * width + columns - 1) / columns;
            Lanes<G> sum, line, pixel;
            clear(sum);
            // Line by line, so that a large cell's small summands are not lost in the sum of all.
            for (long i = top; i < bottom; i++) {
                clear(line);
                for (long j = left; j < right; j++) {
                    load(pixel, x + (i * width + j) * G * Lanes<G>::width);
                    for (int g = 0; g < G; g++) line.part[g] += pixel.part[g];
                }
                for (int g = 0; g < G; g++) sum.part[g] += line.part[g];
            }
            float means[G * Lanes<G>::width];
            store(sum, means);
            float share = 1.0f / (float)((bottom - top) * (right - left));
            for (int lane = 0; lane < used; lane++) y[(lane * rows + p) * columns + q] = means[lane] * share;
        }
    }
}

}  // namespace

extern "C" void ck_adaptive_pool(const float *x, long height, long width, int lanes, long rows, long columns, int used,
                                 float *y) {
    dispatch([&]() INLINED {
        if (lanes == 16) pool<2>(x, height, width, rows, columns, used, y);
        else pool<1>(x, height, width, rows, columns, used, y);
    });
}
