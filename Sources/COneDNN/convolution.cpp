#include "primitive.hpp"

#include <tuple>

using namespace dnnl;
using dims = memory::dims;
using tag = memory::format_tag;

namespace {

constexpr auto f32 = memory::data_type::f32;

// Everything about one convolution except the formats of its activations.
struct Geometry {
    const cod_convolution &shape;
    dims strides, dilates, pad_low, pad_high, weight_dims;
    memory::desc any_weights, plain_weights, bias;

    explicit Geometry(const cod_convolution &s, memory::data_type type = f32) : shape(s) {
        strides = {s.stride_h, s.stride_w};
        dilates = {s.dilation_h - 1, s.dilation_w - 1};
        pad_low = {s.pad_top, s.pad_left};
        pad_high = {s.pad_bottom, s.pad_right};
        bool grouped = s.groups > 1;
        weight_dims = grouped ? dims{s.groups, s.o / s.groups, s.c / s.groups, s.kh, s.kw}
                              : dims{s.o, s.c, s.kh, s.kw};
        any_weights = {weight_dims, type, tag::any};
        plain_weights = {weight_dims, f32, grouped ? tag::goihw : tag::oihw};
        bias = s.has_bias ? memory::desc({s.o}, f32, tag::x) : memory::desc();
    }

    memory::desc src(cod_format format) const { return cod::activation(shape.n, shape.c, shape.h, shape.w, format); }
    memory::desc dst(cod_format format) const { return cod::activation(shape.n, shape.o, shape.p, shape.q, format); }
};

primitive_attr attributes(const cod_convolution &shape) {
    primitive_attr attr;
    attr.set_scratchpad_mode(scratchpad_mode::user);
    post_ops ops;
    if (shape.has_sum) ops.append_sum(1.0f);
    for (const auto &f : shape.activations)
        if (f.function != cod_no_function) ops.append_eltwise(1.0f, cod::algorithm_of(f.function), f.alpha, f.beta);
    attr.set_post_ops(ops);
    return attr;
}

// Winograd F(4×4, 3×3) needs 2.25 times fewer multiplications and leaves an error of 1e-6 of the result's norm. It
// pays from 32 channels up, for the gradient of the weights from 16, and once there are tiles enough to fill its matrix
// products; for a few images oneDNN's own rule (`auto`) is asked.
algorithm choose(const cod_convolution &s, cod_pass pass) {
    bool fits = s.kh == 3 && s.kw == 3 && s.stride_h == 1 && s.stride_w == 1 && s.dilation_h == 1 &&
                s.dilation_w == 1 && s.groups == 1;
    int64_t least = pass == cod_backward_weights ? 16 : 32;
    if (!fits || s.c < least || s.o < least) return algorithm::convolution_direct;
    if (pass == cod_forward_inference) {
        bool few_large_maps = s.n < 4 && s.p * s.q >= 1024 && s.c >= 64 && s.o >= 64;  // 1.5 to 2 times as fast there
        return few_large_maps ? algorithm::convolution_winograd : algorithm::convolution_auto;
    }
    return s.n * s.p * s.q >= 2048 ? algorithm::convolution_winograd : algorithm::convolution_direct;
}

// Whether some output along one axis reads nothing but padding.
bool has_blind_output(int64_t inputs, int64_t outputs, int64_t taps, int64_t stride, int64_t dilation, int64_t pad) {
    for (int64_t output = 0; output < outputs; output++) {
        bool sees_input = false;
        for (int64_t tap = 0; tap < taps && !sees_input; tap++) {
            int64_t position = output * stride - pad + tap * dilation;
            sees_input = position >= 0 && position < inputs;
        }
        if (!sees_input) return true;
    }
    return false;
}

bool has_blind_outputs(const cod_convolution &s) {
    return has_blind_output(s.h, s.p, s.kh, s.stride_h, s.dilation_h, s.pad_top) ||
           has_blind_output(s.w, s.q, s.kw, s.stride_w, s.dilation_w, s.pad_left);
}

bool begins_with(const std::string &text, const char *prefix) { return text.rfind(prefix, 0) == 0; }

// Whether oneDNN 2.6 offers a kernel for a shape in which it is wrong. Other kernels are right there.
// - Where a whole row or column of outputs sees only padding, the `brgconv` kernels skip the product, and then apply what
//   follows it wrongly: with a sum and an activation they read outside their memory, with a sum and a bias the results are
//   wrong, and those for AMX read outside even without a sum.
// - Kernels for SSE 4.1 add what lies in the result by an instruction that takes addresses divisible by 16 only. With the
//   channels last, pixels begin at such addresses where the number of channels divides by 4.
bool is_wrong(const std::string &implementation, const cod_convolution &s, cod_format dst) {
    if (begins_with(implementation, "brgconv")) return has_blind_outputs(s);
    bool is_for_sse = implementation.find("sse41") != std::string::npos;
    return is_for_sse && s.has_sum && dst != cod_format_blocked && s.o % 4 != 0;
}

convolution_forward::primitive_desc forward(const Geometry &g, cod_format src, cod_format dst, bool inference,
                                            algorithm way) {
    auto kind = inference ? prop_kind::forward_inference : prop_kind::forward_training;
    convolution_forward::desc desc(kind, way, g.src(src), g.any_weights, g.bias, g.dst(dst), g.strides, g.dilates,
                                   g.pad_low, g.pad_high);
    convolution_forward::primitive_desc found(desc, attributes(g.shape), cod::engine(), true);
    while (found && is_wrong(found.impl_info_str(), g.shape, dst))
        if (!found.next_impl()) return {};
    return found;
}

bool is_slow(const std::string &implementation) { return begins_with(implementation, "ref"); }

using Formats = std::pair<cod_format, cod_format>;  // of source and destination

// The formats in order of preference: blocked throughout (plain for the few channels of an image), channels-last for
// group sizes the blocked kernels refuse, plain (im2col + GEMM) for the rest.
std::vector<Formats> candidates(const cod_convolution &s) {
    std::vector<Formats> list;
    if (s.c <= 3 && s.groups == 1) list.push_back({cod_format_plain, cod_format_blocked});
    // With a handful of pixels the time goes into reading weights, which the channels-last kernel does faster (512
    // channels at 2×2 and 4×4: 0.35 and 0.44 against 0.47 and 0.62 ms).
    if (s.groups == 1 && s.n * s.p * s.q <= 16)
        list.push_back({cod_format_channels_last, cod_format_channels_last});
    list.push_back({cod_format_blocked, cod_format_blocked});
    list.push_back({cod_format_channels_last, cod_format_channels_last});
    list.push_back({cod_format_plain, cod_format_plain});
    return list;
}

// With exactly one block of channels, blocked and channels-last are the same memory, and oneDNN's channels-last
// forward kernel is the faster one (16 channels, 32×32: 2.7 against 3.5 ms for 128 images).
bool is_one_block(const cod_convolution &s) {
    return s.groups == 1 && s.c == cod_channel_block() && s.o == cod_channel_block();
}

// Tries `make` on every candidate and keeps the first that is no reference kernel, or the last that works at all.
template <typename Desc, typename Make>
std::pair<Desc, Formats> best(const cod_convolution &shape, Make make) {
    std::pair<Desc, Formats> fallback;
    bool found = false;
    for (auto formats : candidates(shape)) {
        Desc desc = make(formats.first, formats.second);
        if (!desc) continue;
        if (!is_slow(desc.impl_info_str())) return {desc, formats};
        if (!found) fallback = {desc, formats};
        found = true;
    }
    if (!found) throw std::runtime_error("oneDNN has no kernel for this convolution");
    return fallback;
}

std::unique_ptr<cod_primitive> finish(const Geometry &g, const convolution_forward::primitive_desc &desc, Formats formats) {
    auto result = std::make_unique<cod_primitive>();
    result->finish(convolution_forward(desc), desc);
    result->add(cod_src, DNNL_ARG_SRC, desc.src_desc(), formats.first);
    result->add(cod_weights, DNNL_ARG_WEIGHTS, desc.weights_desc(), cod_format_plain, g.plain_weights);
    if (g.shape.has_bias) result->add(cod_bias, DNNL_ARG_BIAS, desc.bias_desc(), cod_format_plain, g.bias);
    result->add(cod_dst, DNNL_ARG_DST, desc.dst_desc(), formats.second);
    return result;
}

// In bfloat16 with sums in float32; empty where oneDNN has no fast kernel for that. The few channels of an image stay
// in float32.
std::unique_ptr<cod_primitive> make_bfloat16(const cod_convolution &shape) {
    if (shape.c <= 3) return nullptr;
    Geometry g(shape, memory::data_type::bf16);
    auto desc = forward(g, cod_format_bfloat16, cod_format_bfloat16, true, algorithm::convolution_direct);
    if (!desc || is_slow(desc.impl_info_str())) return nullptr;
    return finish(g, desc, {cod_format_bfloat16, cod_format_bfloat16});
}

std::unique_ptr<cod_primitive> make_forward(const Geometry &g, cod_pass pass) {
    bool inference = pass == cod_forward_inference;
    auto make = [&](cod_format src, cod_format dst) -> convolution_forward::primitive_desc {
        auto desc = forward(g, src, dst, inference, choose(g.shape, pass));
        return desc ? desc : forward(g, src, dst, inference, algorithm::convolution_direct);
    };
    convolution_forward::primitive_desc desc;
    Formats formats{cod_format_blocked, cod_format_blocked};
    if (is_one_block(g.shape)) desc = make(cod_format_channels_last, cod_format_channels_last);
    if (!desc || is_slow(desc.impl_info_str()))
        std::tie(desc, formats) = best<convolution_forward::primitive_desc>(g.shape, make);
    return finish(g, desc, formats);
}

// A backward pass by the chosen algorithm, or directly where oneDNN has no such kernel; empty where it has neither.
template <typename Pass, typename Describe>
typename Pass::primitive_desc backward(const Geometry &g, cod_format src, cod_format dst, cod_pass pass,
                                       Describe describe) {
    primitive_attr attr;
    attr.set_scratchpad_mode(scratchpad_mode::user);
    for (algorithm way : {choose(g.shape, pass), algorithm::convolution_direct}) {
        auto hint = forward(g, src, dst, false, way);
        if (!hint) continue;
        typename Pass::primitive_desc desc(describe(way), attr, cod::engine(), hint, true);
        if (desc) return desc;
    }
    return {};
}

std::unique_ptr<cod_primitive> make_backward_data(const Geometry &g) {
    auto [desc, formats] = best<convolution_backward_data::primitive_desc>(
        g.shape, [&](cod_format src, cod_format dst) {
            return backward<convolution_backward_data>(g, src, dst, cod_backward_data, [&](algorithm way) {
                return convolution_backward_data::desc(way, g.src(src), g.any_weights, g.dst(dst), g.strides,
                                                       g.dilates, g.pad_low, g.pad_high);
            });
        });
    auto result = std::make_unique<cod_primitive>();
    result->finish(convolution_backward_data(desc), desc);
    result->add(cod_diff_dst, DNNL_ARG_DIFF_DST, desc.diff_dst_desc(), formats.second);
    result->add(cod_weights, DNNL_ARG_WEIGHTS, desc.weights_desc(), cod_format_plain, g.plain_weights);
    result->add(cod_diff_src, DNNL_ARG_DIFF_SRC, desc.diff_src_desc(), formats.first);
    return result;
}

std::unique_ptr<cod_primitive> make_backward_weights(const Geometry &g) {
    auto [desc, formats] = best<convolution_backward_weights::primitive_desc>(
        g.shape, [&](cod_format src, cod_format dst) {
            return backward<convolution_backward_weights>(g, src, dst, cod_backward_weights, [&](algorithm way) {
                return convolution_backward_weights::desc(way, g.src(src), g.any_weights, g.bias, g.dst(dst),
                                                          g.strides, g.dilates, g.pad_low, g.pad_high);
            });
        });
    auto result = std::make_unique<cod_primitive>();
    result->finish(convolution_backward_weights(desc), desc);
    result->add(cod_src, DNNL_ARG_SRC, desc.src_desc(), formats.first);
    result->add(cod_diff_dst, DNNL_ARG_DIFF_DST, desc.diff_dst_desc(), formats.second);
    result->add(cod_diff_weights, DNNL_ARG_DIFF_WEIGHTS, desc.diff_weights_desc(), cod_format_plain, g.plain_weights);
    if (g.shape.has_bias)
        result->add(cod_diff_bias, DNNL_ARG_DIFF_BIAS, desc.diff_bias_desc(), cod_format_plain, g.bias);
    return result;
}

}  // namespace

extern "C" cod_primitive *cod_convolution_create(const cod_convolution *shape, enum cod_pass pass) {
    return cod::guarded([&]() -> cod_primitive * {
        if (shape->in_bfloat16 && pass == cod_forward_inference)
            if (auto found = make_bfloat16(*shape)) return found.release();
        if (auto found = cod::make_own_convolution(*shape, pass)) return found.release();
        Geometry geometry(*shape);
        switch (pass) {
        case cod_forward_inference:
        case cod_forward_training: return make_forward(geometry, pass).release();
        case cod_backward_data: return make_backward_data(geometry).release();
        default: return make_backward_weights(geometry).release();
        }
    });
}
