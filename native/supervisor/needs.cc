#include "needs.h"

#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <climits>

#include "../util/unique_fd.h"

namespace tdctl::supervisor {

namespace {

bool gives_fd(long result) { return UniqueFd(static_cast<int>(result)).is_open(); }

// Each does what is done later, to nobody's harm.
struct Need {
  const char* call;
  bool (*is_met)();
};

constexpr Need needs[] = {
    {"pidfd_open", [] { return gives_fd(::syscall(__NR_pidfd_open, ::getpid(), 0)); }},
    {"pidfd_send_signal",
     [] {
       const UniqueFd self(static_cast<int>(::syscall(__NR_pidfd_open, ::getpid(), 0)));
       return ::syscall(__NR_pidfd_send_signal, self.get(), 0, nullptr, 0) == 0;
     }},
    {"eventfd2", [] { return gives_fd(::eventfd(0, EFD_CLOEXEC)); }},
    {"epoll_create1", [] { return gives_fd(::epoll_create1(EPOLL_CLOEXEC)); }},
    {"inotify_init1", [] { return gives_fd(::inotify_init1(IN_CLOEXEC)); }},
    {"inotify_add_watch",
     [] {
       // The end of a watch takes the kernel 10 ms and more, and whoever closes it waits.
       return ::inotify_add_watch(-1, "/", IN_CLOSE_WRITE) < 0 && errno == EBADF;
     }},
    {"memfd_create", [] { return gives_fd(::memfd_create("tdctl", MFD_CLOEXEC)); }},
    {"process_vm_readv",
     [] {
       char from = 1;
       char into;
       const iovec local = {&into, 1};
       const iovec remote = {&from, 1};
       return ::process_vm_readv(::getpid(), &local, 1, &remote, 1, 0) == 1;
     }},
    {"process_vm_writev",
     [] {
       char from = 1;
       char into;
       const iovec local = {&from, 1};
       const iovec remote = {&into, 1};
       return ::process_vm_writev(::getpid(), &local, 1, &remote, 1, 0) == 1;
     }},
    {"tgkill", [] { return ::syscall(__NR_tgkill, ::getpid(), ::gettid(), 0) == 0; }},
    {"close_range", [] { return ::syscall(SYS_close_range, INT_MAX, INT_MAX, 0) == 0; }},
    {"ppoll",
     [] {
       const timespec at_once = {};
       return ::ppoll(nullptr, 0, &at_once, nullptr) == 0;
     }},
    {"waitid",
     [] {
       siginfo_t info;
       const int result = ::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT);
       return result == 0 || errno == ECHILD;
     }},
};

}  // namespace

std::optional<MissingCall> find_missing_call() {
  for (const auto& [call, is_met] : needs) {
    if (!is_met()) return MissingCall{call, errno};
  }
  return std::nullopt;
}

}  // namespace tdctl::supervisor
