// The process between this one and its command. It waits for the end of this one, which a command
// and its daemons would outlive, and then kills whatever they started.
//
// Only a process above them all can do that: PR_SET_PDEATHSIG reaches the command alone, a process
// group or a session is left by setsid(), a cgroup or a PID namespace needs privilege.
#pragma once

#include <sys/types.h>

namespace tdctl::supervisor {

// What the guard says when the command has ended; its only word.
struct CommandEnd {
  // Of waitid: an exit code, or the signal that ended it.
  bool by_signal;
  int status;
};

// Makes a fork of this process fit to be the guard: before it has a child. Null, or the name of the
// call that failed, with errno.
const char* prepare_guard();

// Ends with code 0 when the command and all that it started are gone, which it brings about itself
// once the other end of `channel` is closed, or shut down. System calls only: it is the fork of a
// process with several threads.
[[noreturn]] void stand_guard(int channel, pid_t command);

// SIGKILL for every child of this process. A process whose parent dies becomes a child of the next
// subreaper above, so who calls this again until there is no child ends all descendants. System
// calls only.
void kill_children();

}  // namespace tdctl::supervisor
