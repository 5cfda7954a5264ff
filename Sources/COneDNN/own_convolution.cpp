// Puts our kernels in oneDNN's place on processors with AVX2 only, where it has no Winograd.
#include "primitive.hpp"

#include <CKernels.h>

#include <algorithm>

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

// y = x ⋆ w and what follows, or dx = dy ⋆ turned w.
struct WinogradConvolution final : cod::Kernel {
    ck_convolution shape;
    ck_epilogue epilogue{};
    bool turned;
    cod_argument source, target;
    int threads = cod::thread_count();
    size_t scratch_stride;
    bool splits_outputs;  // among threads, where there are too few tiles for all of them

    WinogradConvolution(const ck_convolution &shape, bool turned)
        : shape(shape), turned(turned), source(turned ? cod_diff_dst : cod_src),
          target(turned ? cod_diff_src : cod_dst), scratch_stride(ck_winograd_scratch_count(&shape)) {
        splits_outputs = ck_winograd_tile_count(&shape) < 12 * threads && shape.o >= 16 * threads;
    }

    void run(void *const pointers[cod_argument_count], void *scratch) const override {
        long tiles = ck_winograd_tile_count(&shape), pairs = (shape.o + 15) / 16, blocks = (shape.o + 7) / 8;
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
            ck_winograd_run(&shape, static_cast<const float *>(pointers[source]),
                            static_cast<const float *>(pointers[cod_weights]), &after,
                            static_cast<float *>(pointers[target]),
                            static_cast<float *>(scratch) + thread * scratch_stride, first, last, first_block,
                            last_block);
        });
    }

    void pack(const float *plain, void *packed) const override {
        ck_winograd_pack(&shape, plain, turned, static_cast<float *>(packed));
    }
};

struct WeightGradient final : cod::Kernel {
    ck_convolution shape;
    int threads = cod::thread_count();
    size_t scratch_stride, share_stride;

    explicit WeightGradient(const ck_convolution &shape)
        : shape(shape), scratch_stride(ck_winograd_scratch_count(&shape)),
          share_stride(ck_winograd_weight_count(&shape)) {}

    size_t scratch_count() const { return threads * (scratch_stride + share_stride); }

    void run(void *const pointers[cod_argument_count], void *scratch) const override {
        float *shares = static_cast<float *>(scratch), *rest = shares + threads * share_stride;
        long tiles = ck_winograd_tile_count(&shape), blocks = (shape.o + 7) / 8;
        int shares_made = 1;
        on_threads(threads, [&](int thread, int count) {
            if (thread == 0) shares_made = count;
            ck_winograd_gradient(&shape, static_cast<const float *>(pointers[cod_src]),
                                 static_cast<const float *>(pointers[cod_diff_dst]), shares + thread * share_stride,
                                 rest + thread * scratch_stride, share(tiles, thread, count),
                                 share(tiles, thread + 1, count));
        });
        on_threads(threads, [&](int thread, int count) {
            ck_winograd_finish_gradient(&shape, shares, share_stride, shares_made,
                                        static_cast<float *>(pointers[cod_diff_weights]),
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

bool fits(const cod_convolution &s) {
    bool kernel = (s.kh == 3 || s.kh == 1) && (s.kw == 3 || s.kw == 1) && s.kh * s.kw > 1;
    return kernel && s.stride_h == 1 && s.stride_w == 1 && s.dilation_h == 1 && s.dilation_w == 1 && s.groups == 1 &&
           s.pad_top < s.kh && s.pad_left < s.kw;
}

// Where tiles of 4×4, 4×1 or 1×4 pay: they must not stick out of the map too far, there must be enough of them for the
// weights, which are up to four times as many as before, and channels enough for the transforms.
bool pays(const cod_convolution &s, cod_pass pass) {
    int64_t height = s.kh == 3 ? 4 : 1, width = s.kw == 3 ? 4 : 1;
    int64_t rows = (s.p + height - 1) / height, columns = (s.q + width - 1) / width, tiles = s.n * rows * columns;
    if (s.c < 8 || s.o < 8 || height * width * rows * columns > 2 * s.p * s.q) return false;
    return pass == cod_backward_weights ? tiles >= 64 : tiles >= 4;
}

}  // namespace

std::unique_ptr<cod_primitive> cod::make_own_convolution(const cod_convolution &s, cod_pass pass) {
    if (!fits(s) || cod_channel_block() != 8 || !ck_winograd_is_available() || !can_finish(s) || !pays(s, pass))
        return nullptr;
    if (pass == cod_backward_weights && s.has_bias) return nullptr;

    auto result = std::make_unique<cod_primitive>();
    result->implementation = "winograd:avx2";
    auto activation = [&](cod_argument which, int64_t channels, int64_t h, int64_t w) {
        result->add(which, 0, cod::activation(s.n, channels, h, w, cod_format_blocked), cod_format_blocked);
    };
    dnnl::memory::desc plain_weights({s.o, s.c, s.kh, s.kw}, f32, dnnl::memory::format_tag::oihw);
    ck_convolution shape{s.n, s.c, s.h, s.w, s.o, s.kh, s.kw, s.p, s.q, s.pad_top, s.pad_left};
    if (pass == cod_backward_weights) {
        auto kernel = std::make_shared<WeightGradient>(shape);
        result->scratch = floats(kernel->scratch_count());
        result->kernel = kernel;
        activation(cod_src, s.c, s.h, s.w);
        activation(cod_diff_dst, s.o, s.p, s.q);
        result->add(cod_diff_weights, 0, plain_weights, cod_format_plain, plain_weights);
        return result;
    }
    bool turned = pass == cod_backward_data;
    if (turned) shape = {s.n, s.o, s.p, s.q, s.c, s.kh, s.kw, s.h, s.w, s.kh - 1 - s.pad_top, s.kw - 1 - s.pad_left};
    auto kernel = std::make_shared<WinogradConvolution>(shape, turned);
    kernel->epilogue = {nullptr, s.has_sum, s.activations[0].function == cod_relu, s.activations[0].alpha};
    result->kernel = kernel;
    result->scratch = floats(kernel->threads * kernel->scratch_stride);
    activation(turned ? cod_diff_dst : cod_src, shape.c, shape.h, shape.w);
    activation(turned ? cod_diff_src : cod_dst, shape.o, shape.p, shape.q);
    result->add(cod_weights, 0, floats(ck_winograd_weight_count(&shape)), cod_format_plain, plain_weights);
    if (s.has_bias) result->add(cod_bias, 0, floats(s.o), cod_format_plain, floats(s.o));
    return result;
}

extern "C" int cod_has_winograd(void) { return cod_channel_block() == 16 || ck_winograd_is_available(); }
