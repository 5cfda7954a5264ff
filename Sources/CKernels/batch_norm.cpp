#include "lanes.hpp"

namespace {

constexpr int width = Lanes<1>::width;
constexpr long stretch = 256;  // pixels: 16 KiB of 16 lanes, read twice from the first cache

template <int G> INLINE void moments(const float *x, long pixels, float *mean, float *deviation) {
    constexpr int unroll = 4;  // independent sums hide the latency of the additions
    Lanes<G> center, square;
    clear(center);
    clear(square);
    for (long from = 0; from < pixels; from += stretch) {
        long count = pixels - from < stretch ? pixels - from : stretch;
        const float *start = x + from * G * width;
        Lanes<G> sums[unroll], squares[unroll], local, pixel;
        for (int u = 0; u < unroll; u++) {
            clear(sums[u]);
            clear(squares[u]);
        }
        long whole = count / unroll * unroll;
        for (long p = 0; p < whole; p += unroll)
            for (int u = 0; u < unroll; u++) {
                load(pixel, start + (p + u) * G * width);
                for (int g = 0; g < G; g++) sums[u].part[g] += pixel.part[g];
            }
        for (long p = whole; p < count; p++) {
            load(pixel, start + p * G * width);
            for (int g = 0; g < G; g++) sums[0].part[g] += pixel.part[g];
        }
        for (int g = 0; g < G; g++)
            local.part[g] = (sums[0].part[g] + sums[1].part[g] + sums[2].part[g] + sums[3].part[g]) / (float)count;
        for (long p = 0; p < whole; p += unroll)
            for (int u = 0; u < unroll; u++) {
                load(pixel, start + (p + u) * G * width);
                for (int g = 0; g < G; g++) {
                    vec d = pixel.part[g] - local.part[g];
                    squares[u].part[g] += d * d;
                }
            }
        for (long p = whole; p < count; p++) {
            load(pixel, start + p * G * width);
            for (int g = 0; g < G; g++) {
                vec d = pixel.part[g] - local.part[g];
                squares[0].part[g] += d * d;
            }
        }
        float share = (float)count / (float)(from + count);
        for (int g = 0; g < G; g++) {
            vec delta = local.part[g] - center.part[g];
            center.part[g] += delta * share;
            square.part[g] += squares[0].part[g] + squares[1].part[g] + squares[2].part[g] + squares[3].part[g] +
                              delta * delta * ((float)from * share);
        }
    }
    store(center, mean);
    store(square, deviation);
}

template <int G, bool HasResidual, bool Rectifies>
INLINE void normalize(const float *x, const float *residual, long pixels, const float *factor, const float *offset,
                      float *y) {
    Lanes<G> a, b, value, other;
    load(a, factor);
    load(b, offset);
    for (long p = 0; p < pixels; p++) {
        load(value, x + p * G * width);
        if (HasResidual) load(other, residual + p * G * width);
        for (int g = 0; g < G; g++) {
            vec v = value.part[g] * a.part[g] + b.part[g];
            if (HasResidual) v += other.part[g];
            if (Rectifies) v = v < 0 ? vec{} : v;  // so that NaN stays NaN
            value.part[g] = v;
        }
        store(value, y + p * G * width);
    }
}

template <int G>
INLINE void normalize(const float *x, const float *residual, long pixels, const float *factor, const float *offset,
                      int rectify, float *y) {
    if (residual && rectify) normalize<G, true, true>(x, residual, pixels, factor, offset, y);
    else if (residual) normalize<G, true, false>(x, residual, pixels, factor, offset, y);
    else if (rectify) normalize<G, false, true>(x, residual, pixels, factor, offset, y);
    else normalize<G, false, false>(x, residual, pixels, factor, offset, y);
}

// Calls body(pixel, g) with the masked incoming gradient g and the input x of each pixel.
template <int G, bool HasSecond, ck_mask Mask, typename Body>
INLINE void walk(const ck_gradient &in, long pixels, Body body) {
    Lanes<G> a, b, first, second, x, y;
    if (Mask == ck_mask_from_input) {
        load(a, in.factor);
        load(b, in.offset);
    }
    for (long p = 0; p < pixels; p++) {
        load(first, in.first + p * G * width);
        if (HasSecond) load(second, in.second + p * G * width);
        load(x, in.x + p * G * width);
        if (Mask == ck_mask_from_output) load(y, in.y + p * G * width);
        for (int g = 0; g < G; g++) {
            vec v = first.part[g];
            if (HasSecond) v += second.part[g];
            if (Mask == ck_mask_from_input) v = x.part[g] * a.part[g] + b.part[g] <= 0 ? vec{} : v;
            if (Mask == ck_mask_from_output) v = y.part[g] <= 0 ? vec{} : v;
            first.part[g] = v;
        }
        body(p, first, x);
    }
}

template <int G, typename Body> INLINE void walk(const ck_gradient &in, long pixels, Body body) {
    switch (in.mask) {
    case ck_mask_none:
        in.second ? walk<G, true, ck_mask_none>(in, pixels, body) : walk<G, false, ck_mask_none>(in, pixels, body);
        break;
    case ck_mask_from_input:
        in.second ? walk<G, true, ck_mask_from_input>(in, pixels, body)
                  : walk<G, false, ck_mask_from_input>(in, pixels, body);
        break;
    case ck_mask_from_output:
        in.second ? walk<G, true, ck_mask_from_output>(in, pixels, body)
                  : walk<G, false, ck_mask_from_output>(in, pixels, body);
        break;
    }
}

// A sum and what rounding took off it, so that the number of summands costs no digits (Knuth's exact addition).
template <int G> struct Compensated {
    Lanes<G> sum, lost;

    INLINE void add(const Lanes<G> &other) {
        for (int g = 0; g < G; g++) {
            vec before = sum.part[g], after = before + other.part[g], taken = after - before;
            lost.part[g] += (before - (after - taken)) + (other.part[g] - taken);
            sum.part[g] = after;
        }
    }

    INLINE void store_total(float *to) const {
        Lanes<G> total;
        // An infinite sum has lost nothing that counts, and infinity less infinity is no number.
        for (int g = 0; g < G; g++) {
            vec value = sum.part[g] + lost.part[g];
            total.part[g] = value == value ? value : sum.part[g];
        }
        store(total, to);
    }
};

// Pixels of a stretch are summed in float32, and the sums of stretches are compensated.
template <int G>
INLINE void gradient_sums(const ck_gradient &in, long pixels, const float *mean, float *stored, float *sums,
                          float *products) {
    Lanes<G> center;
    Compensated<G> sum, product;
    load(center, mean);
    clear(sum.sum), clear(sum.lost), clear(product.sum), clear(product.lost);
    for (long from = 0; from < pixels; from += stretch) {
        long count = pixels - from < stretch ? pixels - from : stretch, start = from * G * width;
        ck_gradient part = in;
        part.first += start;
        if (in.second) part.second += start;
        part.x += start;
        if (in.y) part.y += start;
        Lanes<G> own, mixed;
        clear(own);
        clear(mixed);
        walk<G>(part, count, [&](long p, const Lanes<G> &gradient, const Lanes<G> &x) __attribute__((always_inline)) {
            if (stored) store(gradient, stored + start + p * G * width);
            for (int g = 0; g < G; g++) {
                own.part[g] += gradient.part[g];
                mixed.part[g] += gradient.part[g] * (x.part[g] - center.part[g]);
            }
        });
        sum.add(own);
        product.add(mixed);
    }
    sum.store_total(sums);
    product.store_total(products);
}

template <int G>
INLINE void gradient_input(const ck_gradient &in, long pixels, const float *a, const float *b, const float *c,
                           float *dx) {
    Lanes<G> ofGradient, ofInput, constant;
    load(ofGradient, a);
    load(ofInput, b);
    load(constant, c);
    walk<G>(in, pixels, [&](long p, const Lanes<G> &gradient, const Lanes<G> &x) __attribute__((always_inline)) {
        Lanes<G> result;
        for (int g = 0; g < G; g++)
            result.part[g] = gradient.part[g] * ofGradient.part[g] + x.part[g] * ofInput.part[g] + constant.part[g];
        store(result, dx + p * G * width);
    });
}

}  // namespace

extern "C" {

void ck_moments(const float *x, long pixels, int lanes, float *mean, float *deviation) {
    dispatch([&]() INLINED {
        if (lanes == 16) moments<2>(x, pixels, mean, deviation);
        else moments<1>(x, pixels, mean, deviation);
    });
}

void ck_normalize(const float *x, const float *residual, long pixels, int lanes, const float *factor,
                  const float *offset, int rectify, float *y) {
    dispatch([&]() INLINED {
        if (lanes == 16) normalize<2>(x, residual, pixels, factor, offset, rectify, y);
        else normalize<1>(x, residual, pixels, factor, offset, rectify, y);
    });
}

void ck_gradient_sums(const ck_gradient *gradient, long pixels, int lanes, const float *mean, float *g,
                      float *sums, float *products) {
    dispatch([&]() INLINED {
        if (lanes == 16) gradient_sums<2>(*gradient, pixels, mean, g, sums, products);
        else gradient_sums<1>(*gradient, pixels, mean, g, sums, products);
    });
}

void ck_gradient_input(const ck_gradient *gradient, long pixels, int lanes, const float *a, const float *b,
                       const float *c, float *dx) {
    dispatch([&]() INLINED {
        if (lanes == 16) gradient_input<2>(*gradient, pixels, a, b, c, dx);
        else gradient_input<1>(*gradient, pixels, a, b, c, dx);
    });
}

}  // extern "C"
