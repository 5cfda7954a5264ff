// Which instruction set the loops use.
#include "CKernels.h"

#include <atomic>
#include <cstdlib>
#include <string>

namespace {

constexpr const char *names[] = {"BASELINE", "AVX2", "AVX512_CORE"};

ck_instruction_set best_of_processor() {
#if defined(__x86_64__)
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return ck_baseline;
    return __builtin_cpu_supports("avx512f") ? ck_avx512 : ck_avx2;
#else
    return ck_baseline;
#endif
}

struct Choice {
    std::atomic<int> most{best_of_processor()};
    std::string unknown;

    Choice() {
        const char *value = std::getenv("MOONRAIL_MAX_CPU_ISA");
        if (!value || !*value) return;
        int set = ck_baseline;
        while (set <= ck_avx512 && value != std::string(names[set])) set++;
        if (set > ck_avx512) unknown = value;
        else limit(set);
    }

    void limit(int to) {
        int now = most;
        while (to < now && !most.compare_exchange_weak(now, to)) {}
    }
};

Choice &choice() {
    static Choice made;
    return made;
}

}  // namespace

extern "C" {

enum ck_instruction_set ck_instruction_set_in_use(void) {
    return static_cast<ck_instruction_set>(choice().most.load(std::memory_order_relaxed));
}

void ck_limit_instruction_set(enum ck_instruction_set most) { choice().limit(most); }

const char *ck_instruction_set_name(enum ck_instruction_set set) { return names[set]; }

const char *ck_unknown_limit(void) { return choice().unknown.empty() ? nullptr : choice().unknown.c_str(); }

int ck_convolutions_are_available(void) { return ck_instruction_set_in_use() >= ck_avx2; }

}  // extern "C"
