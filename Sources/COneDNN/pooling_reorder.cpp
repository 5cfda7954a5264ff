#include "primitive.hpp"

using namespace dnnl;

namespace {

primitive_attr user_scratch() {
    primitive_attr attr;
    attr.set_scratchpad_mode(scratchpad_mode::user);
    return attr;
}

pooling_forward::primitive_desc pooling(const cod_pooling &s, const memory::desc &src, const memory::desc &dst,
                                        algorithm kind, bool inference) {
    pooling_forward::desc desc(inference ? prop_kind::forward_inference : prop_kind::forward_training, kind, src, dst,
                               {s.stride_h, s.stride_w}, {s.kh, s.kw}, {s.pad_top, s.pad_left},
                               {s.pad_bottom, s.pad_right});
    return {desc, user_scratch(), cod::engine()};
}

}  // namespace

extern "C" {

cod_primitive *cod_pooling_create(const cod_pooling *shape, enum cod_pass pass) {
    return cod::guarded([&] {
        const auto &s = *shape;
        auto src = cod::activation(s.n, s.c, s.h, s.w, s.format);
        auto dst = cod::activation(s.n, s.c, s.p, s.q, s.format);
        auto kind = s.is_max ? algorithm::pooling_max
                             : (s.counts_padding ? algorithm::pooling_avg_include_padding
                                                 : algorithm::pooling_avg_exclude_padding);
        auto hint = pooling(s, src, dst, kind, pass == cod_forward_inference);
        auto result = std::make_unique<cod_primitive>();
        if (s.is_max && pass != cod_forward_inference)
            result->add(cod_workspace, DNNL_ARG_WORKSPACE, hint.workspace_desc());
        if (pass != cod_backward_data) {
            result->finish(pooling_forward(hint), hint);
            result->add(cod_src, DNNL_ARG_SRC, src, s.format);
            result->add(cod_dst, DNNL_ARG_DST, dst, s.format);
            return result.release();
        }
        pooling_backward::desc backward(kind, src, dst, {s.stride_h, s.stride_w}, {s.kh, s.kw},
                                        {s.pad_top, s.pad_left}, {s.pad_bottom, s.pad_right});
        pooling_backward::primitive_desc desc(backward, user_scratch(), cod::engine(), hint);
        result->finish(pooling_backward(desc), desc);
        result->add(cod_diff_dst, DNNL_ARG_DIFF_DST, dst, s.format);
        result->add(cod_diff_src, DNNL_ARG_DIFF_SRC, src, s.format);
        return result.release();
    });
}

cod_primitive *cod_reorder_create(int64_t n, int64_t c, int64_t h, int64_t w, enum cod_format from,
                                  enum cod_format to) {
    return cod::guarded([&] {
        auto src = cod::activation(n, c, h, w, from);
        auto dst = cod::activation(n, c, h, w, to);
        reorder::primitive_desc desc(cod::engine(), src, cod::engine(), dst, user_scratch());
        auto result = std::make_unique<cod_primitive>();
        result->finish(reorder(desc), desc);
        result->add(cod_src, DNNL_ARG_FROM, src, from);
        result->add(cod_dst, DNNL_ARG_TO, dst, to);
        return result.release();
    });
}

}  // extern "C"
