// The table of open files of a thread.
#pragma once

#include <sys/types.h>

namespace tdctl::supervisor {

// Whether there is a number below RLIMIT_NOFILE for one more fd. True also where nobody can tell.
bool has_descriptor(pid_t thread);

}  // namespace tdctl::supervisor
