#define _GNU_SOURCE
#include "CAddressSpace.h"

#include <sched.h>
#include <stdio.h>
#include <sys/resource.h>

// OpenBLAS maps a buffer of 128 MiB when it is loaded and one for each of its threads, and asks again for ever where the
// address space has no room for them. The rest was found by trying: what the libraries, a decomposition and a training
// step take.
int address_space_is_short(char *text, size_t room) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return 0;
    cpu_set_t processors;
    int count = sched_getaffinity(0, sizeof processors, &processors) == 0 ? CPU_COUNT(&processors) : 1;
    const unsigned long long mebibyte = 1024 * 1024, least = 512 + 128 * (1 + (unsigned long long)count);
    if (limit.rlim_cur / mebibyte >= least) return 0;
    snprintf(
        text, room, "the address space of %llu MiB is too small (ulimit -v): with %d processors at least %llu MiB are needed",
        (unsigned long long)limit.rlim_cur / mebibyte, count, least);
    return 1;
}
