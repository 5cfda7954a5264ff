// OpenBLAS takes a processor that is newer than itself for one without AVX. The kernels it then uses, Prescott's, need three
// times as long, and its triangular solver reads at addresses that are not aligned as it needs, and crashes (0.3.21). This
// lets OpenBLAS choose again, before anything is computed: SkylakeX where there is AVX-512, Haswell where there is AVX2.
// The environment variable OPENBLAS_CORETYPE goes first.
#pragma once

#ifdef __cplusplus
extern "C" {
#endif

// What OpenBLAS chose by itself, if another choice stands in its place, else NULL.
const char *cob_replaced_core(void);

#ifdef __cplusplus
}
#endif
