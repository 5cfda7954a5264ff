// Opening a file beneath a directory, which Swift cannot do itself because syscall(2) takes a varying number of arguments.
#pragma once
#include <stdbool.h>

/// Opens `path`, which is relative, beneath the directory `folder`: neither `..` nor a link leads out of it, and the links
/// of /proc that stand for open files are not followed. What is decided is decided on what is opened, so that nobody
/// can exchange a part of the path in between.
///
/// Where the kernel lacks openat2, or a filter of system calls refuses it, the parts of the path are opened one by one,
/// and links and `..` are refused altogether.
/// @param flags as for openat(2); the descriptor is closed on exec in any case.
/// @param mode the rights of a file that is made.
/// @param walks whether openat2 is passed over even where the kernel has it.
/// @return the descriptor, or -1 with errno: EXDEV where the path leads out of `folder`, ELOOP for a link that is not
/// followed.
int open_beneath(int folder, const char *path, int flags, unsigned mode, bool walks);
