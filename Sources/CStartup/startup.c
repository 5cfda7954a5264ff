// Runs in an executable before the initialisers of its shared libraries, which is the only place from which a program
// can get in front of them (ELF's DT_PREINIT_ARRAY).
#define _GNU_SOURCE
#include "CStartup.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/// Standard streams that are closed would be what the first files that are opened become, and what is printed would end
/// up in those.
static void openStandardStreams(void) {
    for (int stream = 0; stream <= 2; stream++)
        if (fcntl(stream, F_GETFD) < 0 && errno == EBADF && open("/dev/null", O_RDWR) != stream) _exit(1);
}

/// OpenBLAS maps a buffer of 128 MiB when it is loaded and one for each of its threads when it is used, and asks again for
/// ever where the address space has no room for them. The rest was found by trying: what the libraries, a decomposition
/// and a training step take.
static void checkAddressSpace(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return;
    cpu_set_t processors;
    int count = sched_getaffinity(0, sizeof processors, &processors) == 0 ? CPU_COUNT(&processors) : 1;
    const unsigned long long mebibyte = 1024 * 1024, least = 512 + 128 * (1 + (unsigned long long)count);
    if (limit.rlim_cur / mebibyte >= least) return;
    char text[256];
    int length = snprintf(
        text, sizeof text,
        "error: the address space of %llu MiB is too small (ulimit -v): with %d processors at least %llu MiB are needed\n",
        (unsigned long long)limit.rlim_cur / mebibyte, count, least);
    if (length > 0 && write(STDERR_FILENO, text, (size_t)length) < 0) _exit(1);
    _exit(1);
}

static void start(int argumentCount, char **arguments, char **environment) {
    (void)argumentCount;
    (void)arguments;
    (void)environment;
    openStandardStreams();
    // A file over the limit of its size is an error of the write, not the end of the process.
    signal(SIGXFSZ, SIG_IGN);
    checkAddressSpace();
}

__attribute__((section(".preinit_array"), used, retain)) static void (*const early)(int, char **, char **) = start;
