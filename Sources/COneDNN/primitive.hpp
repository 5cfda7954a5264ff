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
// Threads that a primitive made now by this thread will run on.
int thread_count();
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

// A convolution by a kernel of our own, or nothing where oneDNN's is the better one.
std::unique_ptr<cod_primitive> make_own_convolution(const cod_convolution &shape, cod_pass pass);

}  // namespace cod

// A kernel of our own in place of one of oneDNN's.
namespace cod {
struct Kernel {
    virtual ~Kernel() = default;
    virtual void run(void *const pointers[cod_argument_count], void *scratch) const = 0;
    // Weights as the kernel reads them; only for kernels with an argument that needs packing.
    virtual void pack(const float *, void *) const {}
};
}  // namespace cod

struct cod_primitive {
    struct Argument {
        int id;                    // DNNL_ARG_…
        dnnl::memory::desc desc;
        dnnl::memory::desc plain;  // weights only: the order outside
        cod_format format;
        bool used = false;
    };

    dnnl::primitive primitive;
    std::shared_ptr<const cod::Kernel> kernel;  // or this, and no primitive
    std::string implementation;
    Argument arguments[cod_argument_count];
    dnnl::memory::desc scratch;

    void add(cod_argument which, int id, const dnnl::memory::desc &desc, cod_format format = cod_format_plain,
             const dnnl::memory::desc &plain = {}) {
        arguments[which] = {id, desc, plain, format, true};
    }

    template <typename Desc> void finish(dnnl::primitive made, const Desc &desc) {
        primitive = std::move(made);
        implementation = desc.impl_info_str();
        scratch = desc.scratchpad_desc();
    }
};

// Belongs to one thread at a time, as the memories it is bound to do.
struct cod_step {
    dnnl::primitive primitive;
    std::string implementation;
    std::shared_ptr<const cod::Kernel> kernel;
    void *pointers[cod_argument_count] = {};  // these two for the kernel
    void *scratch = nullptr;
    std::vector<dnnl::memory> memories;
    std::vector<dnnl_exec_arg_t> arguments;
    int positions[cod_argument_count] = {};  // of each argument in `memories`
};
