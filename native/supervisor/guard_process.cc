#include "guard_process.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <string_view>

#include "own_memory.h"

namespace tdctl::supervisor {

namespace {

// A process that is killed takes no longer than that, if it has little to give back.
constexpr timespec between_kills = {.tv_sec = 0, .tv_nsec = 1'000'000};

// Its standard streams are pipes that somebody reads to the end, the others files and sockets of ours.
void close_all_but(int kept) {
  if (kept > 0) ::syscall(SYS_close_range, 0, static_cast<unsigned>(kept) - 1, 0);
  ::syscall(SYS_close_range, static_cast<unsigned>(kept) + 1, UINT_MAX, 0);
}

// The C library keeps two signals out of its sets; they would end the guard like others.
sigset_t every_signal() {
  sigset_t set;
  std::memset(&set, 0xff, sizeof set);
  return set;
}

void block_every_signal() {
  constexpr std::size_t kernel_set_bytes = 8;
  const sigset_t every = every_signal();
  ::syscall(__NR_rt_sigprocmask, SIG_SETMASK, &every, nullptr, kernel_set_bytes);
}

// False: there is no child left.
bool reap(int channel, pid_t command) {
  for (;;) {
    siginfo_t info = {};
    if (::waitid(P_ALL, 0, &info, WEXITED | WNOHANG) < 0) return errno != ECHILD;
    if (info.si_pid == 0) return true;
    if (info.si_pid != command) continue;
    const CommandEnd end = {.by_signal = info.si_code != CLD_EXITED, .status = info.si_status};
    static_cast<void>(::send(channel, &end, sizeof end, MSG_NOSIGNAL));
  }
}

// 0 where it has ended meanwhile. `name` is that of a directory in /proc.
pid_t parent_of(int proc, const char* name) {
  char path[NAME_MAX + sizeof "/stat"];
  std::strcpy(path, name);
  std::strcat(path, "/stat");
  const int stat = ::openat(proc, path, O_RDONLY | O_CLOEXEC);
  if (stat < 0) return 0;
  char text[256];
  const ssize_t length = ::read(stat, text, sizeof text - 1);
  ::close(stat);
  if (length <= 0) return 0;
  // `PID (NAME) STATE PARENT`, where the name may hold brackets.
  const std::string_view fields(text, static_cast<std::size_t>(length));
  const std::size_t end_of_name = fields.rfind(") ");
  if (end_of_name == std::string_view::npos) return 0;
  text[length] = '\0';
  return std::atoi(text + end_of_name + std::strlen(") S "));
}

}  // namespace

const char* prepare_guard() {
  if (::prctl(PR_SET_CHILD_SUBREAPER, 1) < 0) return "prctl(PR_SET_CHILD_SUBREAPER)";
  // Else a program that stops the guard, and kills this process, would live on.
  if (::prctl(PR_SET_PDEATHSIG, SIGCONT) < 0) return "prctl(PR_SET_PDEATHSIG)";
  return nullptr;
}

void stand_guard(int channel, pid_t command) {
  ::prctl(PR_SET_NAME, "tdctl-guard");
  close_all_but(channel);
  let_own_memory_go();

  block_every_signal();
  // Let in while it waits; to be noticed it must have a handler.
  struct sigaction noticed = {};
  noticed.sa_handler = [](int) {};
  ::sigaction(SIGCHLD, &noticed, nullptr);
  sigset_t all_but_sigchld = every_signal();
  sigdelset(&all_but_sigchld, SIGCHLD);

  pollfd supervisor = {.fd = channel, .events = POLLIN | POLLRDHUP, .revents = 0};
  while (reap(channel, command)) {
    const bool is_alone = supervisor.revents != 0;
    if (is_alone) {
      kill_children();
      ::ppoll(nullptr, 0, &between_kills, &all_but_sigchld);
    } else {
      ::ppoll(&supervisor, 1, nullptr, &all_but_sigchld);
    }
  }
  ::_exit(0);
}

void kill_children() {
  const int proc = ::open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (proc < 0) return;
  const pid_t self = ::getpid();
  // Few at a time: a program may fork and end faster than a long list is gone through.
  alignas(dirent64) char entries[1024];
  for (;;) {
    const long length = ::syscall(__NR_getdents64, proc, entries, sizeof entries);
    if (length <= 0) break;
    for (long at = 0; at < length;) {
      const auto* entry = reinterpret_cast<const dirent64*>(entries + at);
      at += entry->d_reclen;
      const pid_t process = std::atoi(entry->d_name);
      // A child's number is not given away before this process has reaped it.
      if (process > 0 && parent_of(proc, entry->d_name) == self) ::kill(process, SIGKILL);
    }
  }
  ::close(proc);
}

}  // namespace tdctl::supervisor
