// The instruction set that oneDNN uses, which our own kernels do not exceed: layouts follow it.
#include "primitive.hpp"

#include <CKernels.h>

namespace {

struct Level {
    dnnl::cpu_isa isa;
    const char *name;  // as DNNL_MAX_CPU_ISA spells it
    ck_instruction_set own;
};

// From the best to the least, of which every processor has the last.
constexpr Level levels[] = {
    {dnnl::cpu_isa::avx512_core_amx, "AVX512_CORE_AMX", ck_avx512},
    {dnnl::cpu_isa::avx512_core_bf16, "AVX512_CORE_BF16", ck_avx512},
    {dnnl::cpu_isa::avx512_core_vnni, "AVX512_CORE_VNNI", ck_avx512},
    {dnnl::cpu_isa::avx512_core, "AVX512_CORE", ck_avx512},
    {dnnl::cpu_isa::avx2_vnni, "AVX2_VNNI", ck_avx2},
    {dnnl::cpu_isa::avx2, "AVX2", ck_avx2},
    {dnnl::cpu_isa::avx, "AVX", ck_baseline},
    {dnnl::cpu_isa::sse41, "SSE41", ck_baseline},
};

const Level &level() {
    static const Level &found = [&]() -> const Level & {
        auto effective = static_cast<unsigned>(dnnl::get_effective_cpu_isa());
        for (const auto &candidate : levels) {
            auto wanted = static_cast<unsigned>(candidate.isa);
            if ((effective & wanted) == wanted) return candidate;
        }
        return levels[sizeof levels / sizeof *levels - 1];
    }();
    return found;
}

// Before any kernel runs: whoever chose an instruction set would else keep the wider one.
const bool is_limited = [] {
    ck_limit_instruction_set(level().own);
    return true;
}();

}  // namespace

extern "C" const char *cod_instruction_set(void) { return level().name; }
