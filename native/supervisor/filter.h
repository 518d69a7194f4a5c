// The seccomp filter that hands a program's KVM calls to the supervisor.
#pragma once

namespace tdctl::supervisor {

// Loads the filter on the calling thread. The listener's fd, close-on-exec, or -errno. The thread
// must have no_new_privs, or CAP_SYS_ADMIN. System calls only: this runs between fork and exec.
int load_filter();

}  // namespace tdctl::supervisor
