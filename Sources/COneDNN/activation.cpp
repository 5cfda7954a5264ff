#include "primitive.hpp"

#include <stdexcept>

using namespace dnnl;

algorithm cod::algorithm_of(cod_function function) {
    switch (function) {
    case cod_relu: return algorithm::eltwise_relu;
    case cod_line: return algorithm::eltwise_linear;
    case cod_clip: return algorithm::eltwise_clip;
    case cod_sigmoid: return algorithm::eltwise_logistic;
    case cod_tanh: return algorithm::eltwise_tanh;
    case cod_swish: return algorithm::eltwise_swish;
    case cod_hard_swish: return algorithm::eltwise_hardswish;
    case cod_gelu: return algorithm::eltwise_gelu_erf;
    case cod_gelu_tanh: return algorithm::eltwise_gelu_tanh;
    case cod_elu: return algorithm::eltwise_elu;
    case cod_mish: return algorithm::eltwise_mish;
    case cod_softplus: return algorithm::eltwise_soft_relu;
    default: throw std::invalid_argument("there is no such function");
    }
}

extern "C" cod_primitive *cod_activation_create(int64_t n, int64_t c, int64_t h, int64_t w, enum cod_format format,
                                                const cod_activation *activation) {
    return cod::guarded([&] {
        auto data = cod::activation(n, c, h, w, format);
        primitive_attr attr;
        attr.set_scratchpad_mode(scratchpad_mode::user);
        eltwise_forward::desc described(prop_kind::forward_inference, cod::algorithm_of(activation->function), data,
                                        activation->alpha, activation->beta);
        eltwise_forward::primitive_desc desc(described, attr, cod::engine());
        auto result = std::make_unique<cod_primitive>();
        result->finish(eltwise_forward(desc), desc);
        result->add(cod_src, DNNL_ARG_SRC, data, format);
        result->add(cod_dst, DNNL_ARG_DST, data, format);
        return result.release();
    });
}
