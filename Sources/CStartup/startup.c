// Runs in an executable before the initialisers of its shared libraries, which is the only place from which a program
// can get in front of them (ELF's DT_PREINIT_ARRAY).
#include "CStartup.h"

#include <CAddressSpace.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

/// Standard streams that are closed would be what the first files that are opened become, and what is printed would end
/// up in those.
static void openStandardStreams(void) {
    for (int stream = 0; stream <= 2; stream++)
        if (fcntl(stream, F_GETFD) < 0 && errno == EBADF && open("/dev/null", O_RDWR) != stream) _exit(1);
}

/// The libraries would hang in their initialisers.
static void checkAddressSpace(void) {
    char reason[256], text[300];
    if (!address_space_is_short(reason, sizeof reason)) return;
    int length = snprintf(text, sizeof text, "error: %s\n", reason);
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
