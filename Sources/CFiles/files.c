#define _GNU_SOURCE
#include "CFiles.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

// The headers of older systems know neither the call nor its types; the number is the same for all processors.
// Reference: Linux man-pages, openat2(2).
#ifndef SYS_openat2
#define SYS_openat2 437
#endif

struct opening {
    uint64_t flags, mode, resolve;
};

enum { refuses_magic_links = 0x02, stays_beneath = 0x08 };

static bool is_link(int folder, const char *name) {
    struct stat info;
    return fstatat(folder, name, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(info.st_mode);
}

/// Opens the last part of a path. A descriptor of type O_PATH may be one of a link itself, which the caller must have asked for.
static int open_last(int folder, const char *name, int flags, unsigned mode) {
    int found = openat(folder, name, flags | O_NOFOLLOW | O_CLOEXEC, mode);
    if (found < 0) {
        if (errno == ENOTDIR && is_link(folder, name)) errno = ELOOP;
        return found;
    }
    struct stat info;
    if ((flags & O_NOFOLLOW) == 0 && fstat(found, &info) == 0 && S_ISLNK(info.st_mode)) {
        close(found);
        errno = ELOOP;
        return -1;
    }
    return found;
}

static int walk(int folder, const char *path, int flags, unsigned mode) {
    int current = folder;
    int found;
    do {
        char name[256] = ".";
        size_t length = strcspn(path, "/");
        if (length >= sizeof name) {
            found = -1;
            errno = ENAMETOOLONG;
        } else {
            if (length > 0) memcpy(name, path, length);
            if (length > 0) name[length] = 0;
            path += length;
            bool needs_directory = *path == '/';
            path += strspn(path, "/");
            if (strcmp(name, "..") == 0) {
                found = -1;
                errno = EXDEV;
            } else if (*path == 0) {
                found = open_last(current, name, needs_directory ? flags | O_DIRECTORY : flags, mode);
            } else {
                found = open_last(current, name, O_PATH | O_DIRECTORY, 0);
            }
        }
        int error = errno;
        if (current != folder) close(current);
        errno = error;
        current = found;
    } while (found >= 0 && *path != 0);
    return found;
}

int open_beneath(int folder, const char *path, int flags, unsigned mode, bool walks) {
    if (*path == '/') {
        errno = EXDEV;
        return -1;
    }
    struct opening how = {
        .flags = (uint64_t)(unsigned)(flags | O_CLOEXEC), .mode = (flags & O_CREAT) != 0 ? mode : 0,
        .resolve = refuses_magic_links | stays_beneath,
    };
    // The kernel asks for another try where a directory was moved while it followed "..".
    for (int attempt = 0; !walks && attempt < 100; attempt++) {
        int found = (int)syscall(SYS_openat2, folder, path, &how, sizeof how);
        if (found >= 0) return found;
        if (errno == ENOSYS || errno == EPERM) walks = true;
        else if (errno != EAGAIN && errno != EINTR) return -1;
    }
    if (walks) return walk(folder, path, flags, mode);
    errno = EXDEV;
    return -1;
}
