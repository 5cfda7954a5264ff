// What the verbs share: the engine, the stream, error capture and the primitive with its argument memories.
#pragma once
#include "COneDNN.h"

#include <dnnl.hpp>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#if DNNL_VERSION_MAJOR != 2
#error "COneDNN is written for oneDNN 2.x (Debian 12: libdnnl-dev 2.6); port primitive creation before using another"
#endif

namespace cod {

const dnnl::engine &engine();
dnnl::stream &stream();
void set_error(const std::string &message);
dnnl::memory::format_tag activation_tag(cod_format format);

// The desc of an N×C×H×W activation in one of our formats.
dnnl::memory::desc activation(int64_t n, int64_t c, int64_t h, int64_t w, cod_format format);

dnnl::algorithm algorithm_of(cod_function function);

template <typename Body> auto guarded(Body body) -> decltype(body()) {
    try {
        return body();
    } catch (const std::exception &error) {
        set_error(error.what());
        return decltype(body())();
    }
}

// As `guarded`, for verbs that return a status: 0 is success.
template <typename Body> int status(Body body) {
    try {
        body();
        return 0;
    } catch (const std::exception &error) {
        set_error(error.what());
        return 1;
    }
}

}  // namespace cod

struct cod_primitive {
    struct Argument {
        int id;                    // DNNL_ARG_…
        dnnl::memory::desc desc;
        dnnl::memory::desc plain;  // weights only: the order outside
        cod_format format;
        dnnl::memory memory;       // its handle is set before each execution
        bool used = false;
    };

    dnnl::primitive primitive;
    std::string implementation;
    Argument arguments[cod_argument_count];
    dnnl::memory::desc scratch;
    dnnl::memory scratch_memory;

    void add(cod_argument which, int id, const dnnl::memory::desc &desc, cod_format format = cod_format_plain,
             const dnnl::memory::desc &plain = {}) {
        arguments[which] = {id, desc, plain, format, dnnl::memory(desc, cod::engine(), nullptr), true};
    }

    template <typename Desc> void finish(dnnl::primitive made, const Desc &desc) {
        primitive = std::move(made);
        implementation = desc.impl_info_str();
        scratch = desc.scratchpad_desc();
        scratch_memory = dnnl::memory(scratch, cod::engine(), nullptr);
    }
};

struct cod_step {
    dnnl::primitive primitive;
    std::vector<dnnl::memory> memories;
    std::vector<dnnl_exec_arg_t> arguments;
    int positions[cod_argument_count] = {};  // of each argument in `memories`
};
