#include "primitive.hpp"

#include <algorithm>
#include <stdexcept>

// libgomp's own entry points: the toolchain's clang has no OpenMP, but oneDNN's team is libgomp's.
extern "C" void GOMP_parallel(void (*body)(void *), void *data, unsigned threads, unsigned flags);
extern "C" int omp_get_thread_num(void);
extern "C" int omp_get_num_threads(void);
extern "C" void omp_set_num_threads(int count);
extern "C" int omp_get_num_procs(void);
extern "C" int omp_get_max_threads(void);

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SEES_THREADS 1
extern "C" void __tsan_acquire(void *address);
extern "C" void __tsan_release(void *address);
#endif
#endif

namespace cod {

// Each thread has its own, so that one never reads what another failed at.
static std::string &error_text() {
    static thread_local std::string text;
    return text;
}

int thread_count() { return omp_get_max_threads(); }

void set_error(const std::string &message) { error_text() = message; }

const dnnl::engine &engine() {
    static dnnl::engine instance(dnnl::engine::kind::cpu, 0);
    return instance;
}

// One for each calling thread: oneDNN's engine may be shared, its streams may not.
dnnl::stream &stream() {
    static thread_local dnnl::stream instance(engine());
    return instance;
}

static bool has(dnnl::cpu_isa wanted) {
    auto isa = static_cast<unsigned>(dnnl::get_effective_cpu_isa());
    return (isa & static_cast<unsigned>(wanted)) == static_cast<unsigned>(wanted);
}

dnnl::memory::format_tag activation_tag(cod_format format) {
    using tag = dnnl::memory::format_tag;
    switch (format) {
    case cod_format_plain: return tag::nchw;
    case cod_format_channels_last:
    case cod_format_bfloat16: return tag::nhwc;
    default: return cod_channel_block() == 16 ? tag::nChw16c : tag::nChw8c;
    }
}

dnnl::memory::desc activation(int64_t n, int64_t c, int64_t h, int64_t w, cod_format format) {
    using type = dnnl::memory::data_type;
    return {{n, c, h, w}, format == cod_format_bfloat16 ? type::bf16 : type::f32, activation_tag(format)};
}

struct ParallelBody {
    void (*body)(void *, int, int);
    void *context;
};

// libgomp is not built for ThreadSanitizer, which therefore has to be told that the team starts after its caller and
// that the caller goes on after the team.
static void begins(ParallelBody *job) {
#ifdef SEES_THREADS
    __tsan_acquire(job);
#else
    (void)job;
#endif
}

static void ends(ParallelBody *job) {
#ifdef SEES_THREADS
    __tsan_release(job);
#else
    (void)job;
#endif
}

static void execute(const dnnl::primitive &primitive, int count, const dnnl_exec_arg_t *arguments,
                    const std::string &implementation) {
    if (dnnl_primitive_execute(primitive.get(), stream().get(), count, arguments) != dnnl_success)
        throw std::runtime_error(implementation + " failed to execute");
}

}  // namespace cod

extern "C" {

const char *cod_last_error(void) { return cod::error_text().c_str(); }

const char *cod_version(void) {
    static std::string text = [] {
        auto version = dnnl_version();
        return std::to_string(version->major) + "." + std::to_string(version->minor) + "." +
               std::to_string(version->patch);
    }();
    return text.c_str();
}

int cod_channel_block(void) {
    static int block = cod::has(dnnl::cpu_isa::avx512_core) ? 16 : 8;
    return block;
}

int cod_has_bfloat16(void) { return cod::has(dnnl::cpu_isa::avx512_core_bf16) ? 1 : 0; }

int cod_processor_count(void) { return omp_get_num_procs(); }

// libgomp keeps this number for each calling thread, and asking for it costs nothing.
void cod_set_thread_count(int count) {
    if (omp_get_max_threads() != count) omp_set_num_threads(count);
}

void cod_parallel(void (*body)(void *, int, int), void *context, int threadCount) {
    cod::ParallelBody data{body, context};
    cod::ends(&data);
    GOMP_parallel(
        [](void *raw) {
            auto *data = static_cast<cod::ParallelBody *>(raw);
            cod::begins(data);
            data->body(data->context, omp_get_thread_num(), omp_get_num_threads());
            cod::ends(data);
        },
        &data, static_cast<unsigned>(threadCount), 0);
    cod::begins(&data);
}

int cod_sgemm(char transA, char transB, int64_t m, int64_t n, int64_t k, const float *a, int64_t lda, const float *b,
              int64_t ldb, float beta, float *c, int64_t ldc) {
    return dnnl_sgemm(transA, transB, m, n, k, 1.0f, a, lda, b, ldb, beta, c, ldc) == dnnl_success ? 0 : 1;
}

void cod_primitive_destroy(cod_primitive *primitive) { delete primitive; }

const char *cod_primitive_implementation(const cod_primitive *primitive) { return primitive->implementation.c_str(); }

enum cod_format cod_primitive_format(const cod_primitive *primitive, enum cod_argument which) {
    return primitive->arguments[which].format;
}

size_t cod_primitive_bytes(const cod_primitive *primitive, enum cod_argument which) {
    return primitive->arguments[which].used ? primitive->arguments[which].desc.get_size() : 0;
}

size_t cod_primitive_scratch_bytes(const cod_primitive *primitive) { return primitive->scratch.get_size(); }

int cod_primitive_needs_packing(const cod_primitive *primitive, enum cod_argument which) {
    const auto &argument = primitive->arguments[which];
    return argument.used && argument.desc != argument.plain;
}

static int reorder(const dnnl::memory::desc &from, const void *source, const dnnl::memory::desc &to, void *target) {
    return cod::status([&] {
        dnnl::memory input(from, cod::engine(), const_cast<void *>(source));
        dnnl::memory output(to, cod::engine(), target);
        dnnl::reorder(input, output).execute(cod::stream(), input, output);
    });
}

int cod_primitive_pack(cod_primitive *primitive, enum cod_argument which, const float *plain, void *packed) {
    const auto &argument = primitive->arguments[which];
    if (primitive->kernel) {
        primitive->kernel->pack(plain, packed);
        return 0;
    }
    return reorder(argument.plain, plain, argument.desc, packed);
}

int cod_primitive_unpack(cod_primitive *primitive, enum cod_argument which, const void *packed, float *plain) {
    const auto &argument = primitive->arguments[which];
    return reorder(argument.desc, packed, argument.plain, plain);
}

// The memories are made anew for each execution, so that several threads may run one primitive.
int cod_primitive_execute(cod_primitive *primitive, void *const pointers[cod_argument_count], void *scratch) {
    if (primitive->kernel) {
        primitive->kernel->run(pointers, scratch);
        return 0;
    }
    return cod::status([&] {
        dnnl::memory memories[cod_argument_count + 1];
        dnnl_exec_arg_t arguments[cod_argument_count + 1];
        int count = 0;
        auto bind = [&](int id, const dnnl::memory::desc &desc, void *pointer) {
            memories[count] = dnnl::memory(desc, cod::engine(), pointer);
            arguments[count] = {id, memories[count].get()};
            count++;
        };
        for (int which = 0; which < cod_argument_count; which++) {
            const auto &argument = primitive->arguments[which];
            if (argument.used) bind(argument.id, argument.desc, pointers[which]);
        }
        if (primitive->scratch.get_size() > 0) bind(DNNL_ARG_SCRATCHPAD, primitive->scratch, scratch);
        cod::execute(primitive->primitive, count, arguments, primitive->implementation);
    });
}

cod_step *cod_step_create(cod_primitive *primitive, void *const pointers[cod_argument_count], void *scratch) {
    return cod::guarded([&] {
        auto step = std::make_unique<cod_step>();
        if (primitive->kernel) {
            step->kernel = primitive->kernel;
            std::copy_n(pointers, static_cast<int>(cod_argument_count), step->pointers);
            step->scratch = scratch;
            return step.release();
        }
        step->primitive = primitive->primitive;
        step->implementation = primitive->implementation;
        auto bind = [&](int id, const dnnl::memory::desc &desc, void *pointer) {
            step->memories.emplace_back(desc, cod::engine(), pointer);
            step->arguments.push_back({id, step->memories.back().get()});
        };
        for (int which = 0; which < cod_argument_count; which++) {
            if (!primitive->arguments[which].used) continue;
            step->positions[which] = static_cast<int>(step->memories.size());
            bind(primitive->arguments[which].id, primitive->arguments[which].desc, pointers[which]);
        }
        if (primitive->scratch.get_size() > 0) bind(DNNL_ARG_SCRATCHPAD, primitive->scratch, scratch);
        return step.release();
    });
}

void cod_step_rebind(cod_step *step, enum cod_argument which, void *pointer) {
    if (step->kernel) step->pointers[which] = pointer;
    else dnnl_memory_set_data_handle(step->memories[step->positions[which]].get(), pointer);
}

int cod_step_run(cod_step *step) {
    if (step->kernel) {
        step->kernel->run(step->pointers, step->scratch);
        return 0;
    }
    return cod::status([&] {
        cod::execute(step->primitive, static_cast<int>(step->arguments.size()), step->arguments.data(),
                     step->implementation);
    });
}

void cod_step_destroy(cod_step *step) { delete step; }

}  // extern "C"
