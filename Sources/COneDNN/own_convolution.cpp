// Puts our kernels in oneDNN's place on processors with AVX2 only, where it has no Winograd.
#include "primitive.hpp"

#include <CKernels.h>

#include <algorithm>
#include <utility>

namespace {

constexpr auto f32 = dnnl::memory::data_type::f32;

dnnl::memory::desc floats(size_t count) { return {{static_cast<int64_t>(count)}, f32, dnnl::memory::format_tag::x}; }

// Runs body(thread, threadCount) on oneDNN's team.
template <typename Body> void on_threads(int count, const Body &body) {
    if (count == 1) return body(0, 1);
    cod_parallel([](void *context, int thread, int total) { (*static_cast<const Body *>(context))(thread, total); },
                 const_cast<Body *>(&body), count);
}

long share(long total, int thread, int threads) { return total * thread / threads; }

// y = x ⋆ w and what follows, or the gradient of the input.
struct OwnConvolution final : cod::Kernel {
    const ck_algorithm &way;
    ck_convolution shape;
    ck_epilogue epilogue{};
    cod_argument source, target;
    int threads = cod::thread_count();
    size_t scratch_stride;
    bool splits_outputs;  // among threads, where there are too few tiles for all of them

    OwnConvolution(const ck_algorithm &way, const ck_convolution &shape)
        : way(way), shape(shape), source(shape.is_gradient ? cod_diff_dst : cod_src),
          target(shape.is_gradient ? cod_diff_src : cod_dst), scratch_stride(way.scratch_count(&shape)) {
        splits_outputs = way.tile_count(&shape) < 12 * threads && shape.o >= 16 * threads;
    }

    void run(void *const pointers[cod_argument_count], void *scratch) const override {
        long tiles = way.tile_count(&shape), pairs = (shape.o + 15) / 16, blocks = (shape.o + 7) / 8;
        ck_epilogue after = epilogue;
        after.bias = static_cast<const float *>(pointers[cod_bias]);
        on_threads(threads, [&](int thread, int count) {
            long first = 0, last = tiles, first_block = 0, last_block = blocks;
            if (splits_outputs) {
                first_block = 2 * share(pairs, thread, count);
                last_block = std::min(blocks, 2 * share(pairs, thread + 1, count));
            } else {
                first = share(tiles, thread, count);
                last = share(tiles, thread + 1, count);
            }
            way.run(&shape, static_cast<const float *>(pointers[source]),
                    static_cast<const float *>(pointers[cod_weights]), &after, static_cast<float *>(pointers[target]),
                    static_cast<float *>(scratch) + thread * scratch_stride, first, last, first_block, last_block);
        });
    }

    void pack(const float *plain, void *packed) const override { way.pack(&shape, plain, static_cast<float *>(packed)); }
};

struct OwnWeightGradient final : cod::Kernel {
    const ck_algorithm &way;
    ck_convolution shape;
    int threads = cod::thread_count();
    size_t scratch_stride, share_stride;

    OwnWeightGradient(const ck_algorithm &way, const ck_convolution &shape)
        : way(way), shape(shape), scratch_stride(way.scratch_count(&shape)), share_stride(way.weight_count(&shape)) {}

    size_t scratch_count() const { return threads * (scratch_stride + share_stride); }

    void run(void *const pointers[cod_argument_count], void *scratch) const override {
        float *shares = static_cast<float *>(scratch), *rest = shares + threads * share_stride;
        long tiles = way.tile_count(&shape), blocks = (shape.o + 7) / 8;
        int shares_made = 1;
        on_threads(threads, [&](int thread, int count) {
            if (thread == 0) shares_made = count;
            way.share_gradient(&shape, static_cast<const float *>(pointers[cod_src]),
                               static_cast<const float *>(pointers[cod_diff_dst]), shares + thread * share_stride,
                               rest + thread * scratch_stride, share(tiles, thread, count),
                               share(tiles, thread + 1, count));
        });
        on_threads(threads, [&](int thread, int count) {
            way.sum_gradient(&shape, shares, share_stride, shares_made, static_cast<float *>(pointers[cod_diff_weights]),
                             share(blocks, thread, count), share(blocks, thread + 1, count));
        });
    }
};

// Whether the functions behind the convolution are none or a ReLU, which the kernel applies itself.
bool can_finish(const cod_convolution &s) {
    const auto &first = s.activations[0];
    return s.activations[1].function == cod_no_function &&
           (first.function == cod_no_function || (first.function == cod_relu && first.alpha >= 0 && first.alpha < 1));
}

// Where tiles of 4×4, 4×1 or 1×4 pay: they must not stick out of the map too far, and there must be enough of them for
// the weights, which are up to four times as many as before.
bool winograd_pays(const cod_convolution &s, cod_pass pass) {
    int64_t height = s.kh == 3 ? 4 : 1, width = s.kw == 3 ? 4 : 1;
    int64_t rows = (s.p + height - 1) / height, columns = (s.q + width - 1) / width, tiles = s.n * rows * columns;
    if (height * width * rows * columns > 2 * s.p * s.q) return false;
    return tiles >= (pass == cod_backward_weights ? 64 : 4);
}

// Our way to compute a convolution; `nullptr` where oneDNN's is the better one. The transforms and copies need some
// channels to pay.
const ck_algorithm *choose(const cod_convolution &s, const ck_convolution &shape, cod_pass pass) {
    if (cod_channel_block() != 8 || !ck_convolutions_are_available() || !can_finish(s) || s.dilation_h != 1 ||
        s.dilation_w != 1 || s.groups != 1 || s.c < 8 || s.o < 8 || (pass == cod_backward_weights && s.has_bias))
        return nullptr;
    if (ck_winograd.fits(&shape)) return winograd_pays(s, pass) ? &ck_winograd : nullptr;
    bool strides = s.stride_h * s.stride_w > 1 && s.kh * s.kw > 1;
    return strides && s.n * s.p * s.q >= 64 && ck_gathering.fits(&shape) ? &ck_gathering : nullptr;
}

}  // namespace

std::unique_ptr<cod_primitive> cod::make_own_convolution(const cod_convolution &s, cod_pass pass) {
    ck_convolution shape{s.n, s.c, s.h, s.w, s.o, s.p, s.q, s.kh, s.kw, s.stride_h, s.stride_w, s.pad_top, s.pad_left, 0};
    if (pass == cod_backward_data) {
        std::swap(shape.c, shape.o);
        std::swap(shape.h, shape.p);
        std::swap(shape.w, shape.q);
        shape.is_gradient = 1;
    }
    const ck_algorithm *way = choose(s, shape, pass);
    if (!way) return nullptr;

    auto result = std::make_unique<cod_primitive>();
    result->implementation = way->name;
    auto activation = [&](cod_argument which, int64_t channels, int64_t h, int64_t w) {
        result->add(which, 0, cod::activation(s.n, channels, h, w, cod_format_blocked), cod_format_blocked);
    };
    dnnl::memory::desc plain_weights({s.o, s.c, s.kh, s.kw}, f32, dnnl::memory::format_tag::oihw);
    if (pass == cod_backward_weights) {
        auto kernel = std::make_shared<OwnWeightGradient>(*way, shape);
        result->scratch = floats(kernel->scratch_count());
        result->kernel = kernel;
        activation(cod_src, s.c, s.h, s.w);
        activation(cod_diff_dst, s.o, s.p, s.q);
        result->add(cod_diff_weights, 0, plain_weights, cod_format_plain, plain_weights);
        return result;
    }
    auto kernel = std::make_shared<OwnConvolution>(*way, shape);
    kernel->epilogue = {nullptr, s.has_sum, s.activations[0].function == cod_relu, s.activations[0].alpha};
    result->kernel = kernel;
    result->scratch = floats(kernel->threads * kernel->scratch_stride);
    activation(kernel->source, shape.c, shape.h, shape.w);
    activation(kernel->target, shape.o, shape.p, shape.q);
    result->add(cod_weights, 0, floats(way->weight_count(&shape)), cod_format_plain, plain_weights);
    if (s.has_bias) result->add(cod_bias, 0, floats(s.o), cod_format_plain, floats(s.o));
    return result;
}

extern "C" int cod_has_winograd(void) { return cod_channel_block() == 16 || ck_convolutions_are_available(); }
