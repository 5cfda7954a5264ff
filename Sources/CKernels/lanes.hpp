// Vectors of a block's lanes, and the instruction sets that loops over them are compiled for.
#pragma once
#include "CKernels.h"

// The templates are inlined into what `dispatch` calls, and so compiled for each instruction set.
#define INLINE inline __attribute__((always_inline))
#define INLINED __attribute__((always_inline))  // for lambdas
#if defined(__x86_64__)
#define FOR_AVX512 __attribute__((target("avx512f")))
#define FOR_AVX2 __attribute__((target("avx2")))
#else
#define FOR_AVX512
#define FOR_AVX2
#endif

template <typename Body> FOR_AVX512 void on_avx512(const Body &body) { body(); }
template <typename Body> FOR_AVX2 void on_avx2(const Body &body) { body(); }

// Runs a lambda, marked INLINED, as compiled for the instruction set in use.
template <typename Body> INLINE void dispatch(const Body &body) {
    switch (ck_instruction_set_in_use()) {
    case ck_avx512: return on_avx512(body);
    case ck_avx2: return on_avx2(body);
    default: return body();
    }
}

typedef float vec __attribute__((vector_size(32)));

INLINE void load(vec &value, const float *from) { __builtin_memcpy(&value, from, sizeof(vec)); }
INLINE void store(const vec &value, float *to) { __builtin_memcpy(to, &value, sizeof(vec)); }

// A vector with one float per lane, of G machine vectors.
template <int G> struct Lanes {
    static constexpr int width = sizeof(vec) / sizeof(float);
    vec part[G];
};

template <int G> INLINE void clear(Lanes<G> &lanes) {
    for (int g = 0; g < G; g++) lanes.part[g] = vec{};
}

template <int G> INLINE void load(Lanes<G> &lanes, const float *from) {
    for (int g = 0; g < G; g++) load(lanes.part[g], from + g * Lanes<G>::width);
}

template <int G> INLINE void store(const Lanes<G> &lanes, float *to) {
    for (int g = 0; g < G; g++) store(lanes.part[g], to + g * Lanes<G>::width);
}
