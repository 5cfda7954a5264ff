// What a program needs that kills copies of itself, which Swift cannot call.
#pragma once
#include <stdbool.h>
#include <sys/types.h>

/// fork(2), for a process of one thread: the copy goes on with all that this one has made.
pid_t fork_process(void);

/// From now on this process has no files without a name (O_TMPFILE): the system answers as a file system does that lacks
/// them.
bool refuse_unnamed_files(void);
