// seccomp user notifications: what a trapped thread asks, and how it is answered. Every function
// may be called by any thread.
#pragma once

#include <linux/seccomp.h>

#include <cstdint>

namespace tdctl::supervisor {

// 0, or an errno. ENOENT: the thread was interrupted or is gone, and nobody gets the answer.
using ErrorNumber = int;

// The next notification. ENOENT: it was withdrawn before it was read.
ErrorNumber receive(int listener, seccomp_notif* into);

// The call returns `value`.
ErrorNumber answer(int listener, std::uint64_t id, std::int64_t value);
// The call fails with `error_number`.
ErrorNumber refuse(int listener, std::uint64_t id, int error_number);
// The kernel carries the call out as if it had not been trapped.
ErrorNumber let_through(int listener, std::uint64_t id);

struct Installed {
  ErrorNumber error = 0;
  // The fd's number in the caller, which the call returns.
  int fd = -1;
};
struct NewFd {
  bool close_on_exec = false;
  // Its number is the call's result; else the caller still waits.
  bool answers = true;
};
// Puts `fd` into the caller's fd table and answers with its number, both or neither. EMFILE: the
// caller has no number left, and still waits.
Installed install(int listener, std::uint64_t id, int fd, NewFd how);

// The caller still waits for its answer.
bool is_waiting(int listener, std::uint64_t id);

// Linux 5.14 and later answer with an fd in one step; the supervisor needs that.
// 0, or why it cannot be.
ErrorNumber why_not_install(int listener);

}  // namespace tdctl::supervisor
