#include "COpenBLASKernels.h"

#include <stdlib.h>
#include <string.h>

char *openblas_get_corename(void);
// OpenBLAS's own start and end, which it exports where it has kernels for several processors.
void gotoblas_dynamic_init(void) __attribute__((weak));
void gotoblas_dynamic_quit(void) __attribute__((weak));

static char replaced[32];

const char *cob_replaced_core(void) { return replaced[0] ? replaced : NULL; }

#if defined(__x86_64__)

static int has_no_avx(const char *core) {
    static const char *const cores[] = {"Katmai", "Coppermine", "Northwood", "Prescott", "Banias", "Core2",
                                        "Penryn", "Dunnington", "Nehalem",   "Atom",     "Nano",   "Generic"};
    for (unsigned i = 0; i < sizeof cores / sizeof *cores; i++)
        if (strcmp(core, cores[i]) == 0) return 1;
    return 0;
}

static const char *best_core(void) {
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return NULL;
    int is_wide = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                  __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    return is_wide ? "SkylakeX" : "Haswell";
}

// Runs after OpenBLAS's own start, on which we depend, and before `main`.
__attribute__((constructor)) static void choose(void) {
    const char *variable = "OPENBLAS_CORETYPE";
    if (getenv(variable) || !gotoblas_dynamic_init || !gotoblas_dynamic_quit) return;
    __builtin_cpu_init();
    const char *core = openblas_get_corename(), *better = best_core();
    if (!better || !has_no_avx(core)) return;
    strncpy(replaced, core, sizeof replaced - 1);
    setenv(variable, better, 1);
    gotoblas_dynamic_quit();
    gotoblas_dynamic_init();
    unsetenv(variable);
}

#endif
