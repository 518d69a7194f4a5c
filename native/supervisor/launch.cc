#include "launch.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <span>
#include <utility>

#include "../util/fd_message.h"
#include "client_memory.h"
#include "filter.h"
#include "needs.h"
#include "no_signals.h"
#include "notifications.h"

namespace tdctl::supervisor {

namespace {

// What the client says of itself: first with the listener, once more if exec fails.
using Report = LaunchFailure;

constexpr char go_on = 'g';

void send_report(int channel, Report report, int listener) {
  const std::span<const int> fds(&listener, listener >= 0 ? 1 : 0);
  static_cast<void>(send_with_fds(channel, std::as_bytes(std::span(&report, 1)), fds));
}

struct Received {
  Report report;
  UniqueFd listener;
};

// Nothing where the other end is gone.
std::optional<Received> receive_report(int channel) {
  Received received = {.report = {LaunchStage::exec, 0}, .listener = {}};
  FdMessage message =
      receive_with_fds(channel, std::as_writable_bytes(std::span(&received.report, 1)), 1);
  if (message.length != sizeof received.report) return std::nullopt;
  if (!message.fds.empty()) received.listener = std::move(message.fds.front());
  return received;
}

// As a shell leaves them: what this process ignores is its own matter.
void reset_handlers() {
  struct sigaction standard = {};
  standard.sa_handler = SIG_DFL;
  for (int signal = 1; signal < NSIG; ++signal) ::sigaction(signal, &standard, nullptr);
}

// Whatever came since the fork is for the program, and comes now.
void let_signals_in() {
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

// Node marks what it inherits close-on-exec, and makes pipes and sockets non-blocking, for whoever
// shares them.
void restore_standard_streams() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    ::fcntl(fd, F_SETFD, 0);
    const int flags = ::fcntl(fd, F_GETFL);
    if (flags >= 0 && (flags & O_NONBLOCK) != 0) ::fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
  }
}

// What the fork of a client needs, made ready before it: a fork of many threads allocates nothing.
struct Program {
  char* const* arguments;
  std::span<const int> fds;
  std::span<const Mount> mounts;
  pid_t answered_by;
};

constexpr std::size_t most_kept = 64;

void bind_kept(int kept, const char* target) {
  char path[48];
  std::snprintf(path, sizeof path, "/proc/self/fd/%d", kept);
  ::mount(path, target, nullptr, MS_BIND | MS_REC, nullptr);
}

// What of it may not be done is left as it is: the program finds the same by a path (docs/shared-host.md).
void make_mounts(std::span<const Mount> mounts) {
  if (mounts.empty() || ::unshare(CLONE_NEWNS) != 0) return;
  // Mounts of the rest of the machine still come in, and none goes out.
  if (::mount("none", "/", nullptr, MS_REC | MS_SLAVE, nullptr) != 0) return;
  int kept[most_kept];
  std::size_t next = 0;
  for (const Mount& mount : mounts) {
    if (mount.kind != Mount::Kind::keep || next == most_kept) continue;
    kept[next++] = ::open(mount.target.c_str(), O_PATH | O_CLOEXEC);
  }
  for (const Mount& mount : mounts) {
    if (mount.kind != Mount::Kind::overlay) continue;
    ::mount("overlay", mount.target.c_str(), "overlay", MS_RDONLY, mount.source.c_str());
  }
  std::size_t at = 0;
  for (const Mount& mount : mounts) {
    if (mount.kind != Mount::Kind::keep || at == next) continue;
    bind_kept(kept[at], mount.target.c_str());
    ::close(kept[at++]);
  }
  for (const Mount& mount : mounts) {
    if (mount.kind != Mount::Kind::bind) continue;
    ::mount(mount.source.c_str(), mount.target.c_str(), nullptr, MS_BIND, nullptr);
  }
}

// In the fork of a process with several threads: system calls only until exec, since another
// thread may have held any lock. Signals are blocked.
[[noreturn]] void become_client(int channel, pid_t guard, const Program& program) {
  const auto fail = [channel](LaunchStage stage, int error) {
    send_report(channel, {stage, error}, -1);
    ::_exit(127);
  };
  reset_handlers();
  restore_standard_streams();
  for (const int fd : program.fds) ::fcntl(fd, F_SETFD, 0);
  // Without Yama there is no such call, and no need of it.
  if (program.answered_by != 0) ::prctl(PR_SET_PTRACER, program.answered_by);
  make_mounts(program.mounts);
  // Where the guard is killed, this is quicker than the supervisor.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != guard) ::_exit(127);
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) fail(LaunchStage::no_new_privileges, errno);
  const int listener = load_filter();
  if (listener < 0) fail(LaunchStage::filter, -listener);
  send_report(channel, {LaunchStage::exec, 0}, listener);
  ::close(listener);
  char word = 0;
  if (::read(channel, &word, 1) != 1 || word != go_on) ::_exit(127);
  let_signals_in();
  ::execvp(program.arguments[0], program.arguments);
  fail(LaunchStage::exec, errno);
  ::_exit(127);
}

// What the guard says before it stands guard.
struct Forked {
  pid_t client;
  // Of no meaning where there is a client. The text is in a fork's memory where it is in this one's.
  LaunchFailure failure;
};

// In a fork too. The guard has a session of its own: no terminal and no signal to the command's group
// is meant for it, and whether a terminal can stop that group depends on who started this process, as
// it would without a guard.
[[noreturn]] void become_guard(int channel, int client_channel, const Program& program) {
  Forked forked = {.client = -1, .failure = {.stage = LaunchStage::call, .error = 0}};
  const char* const failed = prepare_guard();
  if (failed != nullptr) {
    forked.failure = {LaunchStage::call, errno, failed};
  } else {
    const pid_t self = ::getpid();
    forked.client = ::fork();
    if (forked.client == 0) become_client(client_channel, self, program);
    if (forked.client < 0) {
      forked.failure = {LaunchStage::fork, errno};
    } else if (::setsid() < 0) {
      forked = {.client = -1, .failure = {LaunchStage::call, errno, "setsid"}};
    }
  }
  static_cast<void>(::send(channel, &forked, sizeof forked, MSG_NOSIGNAL));
  // Its client dies with it.
  if (forked.client < 0) ::_exit(1);
  stand_guard(channel, forked.client);
}

struct SocketPair {
  UniqueFd ours;
  UniqueFd theirs;
};

// Nothing, with errno set, where there is none to be had.
std::optional<SocketPair> socket_pair() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) return std::nullopt;
  return SocketPair{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

// Can this process look into its client? The fork has the same address space layout.
std::optional<LaunchFailure> find_obstacle(const HeldClient& client) {
  if (!client.pidfd.is_open()) return LaunchFailure{LaunchStage::call, errno, "pidfd_open"};
  if (!client.listener.is_open()) return LaunchFailure{LaunchStage::call, EMFILE, "recvmsg"};
  if (const ErrorNumber error = why_not_install(client.listener.get()); error != 0) {
    return LaunchFailure{LaunchStage::install, error};
  }
  static constexpr char sample = 's';
  std::byte copy;
  if (read_memory(client.pid, reinterpret_cast<std::uintptr_t>(&sample), {&copy, 1}) !=
      Access::done) {
    return LaunchFailure{LaunchStage::memory, EPERM};
  }
  return std::nullopt;
}

// Until the client is ready to become the program.
std::optional<LaunchFailure> hear_of_launch(HeldClient& client) {
  const auto forked = client.guard.hear_first<Forked>();
  if (!forked) return LaunchFailure{LaunchStage::fork, ECHILD};
  if (forked->client < 0) return forked->failure;
  client.pid = forked->client;
  std::optional<Received> received = receive_report(client.channel.get());
  if (!received) return LaunchFailure{LaunchStage::fork, ECHILD};
  if (received->report.error != 0) return received->report;
  client.listener = std::move(received->listener);
  client.pidfd = UniqueFd(static_cast<int>(::syscall(__NR_pidfd_open, client.pid, 0)));
  return find_obstacle(client);
}

// As this process's PID namespace knows it.
pid_t process_of_pidfd(int pidfd) {
  char path[48];
  std::snprintf(path, sizeof path, "/proc/self/fdinfo/%d", pidfd);
  const UniqueFd info(::open(path, O_RDONLY | O_CLOEXEC));
  char text[512] = {};
  if (!info.is_open() || ::read(info.get(), text, sizeof text - 1) <= 0) return 0;
  const char* const field = std::strstr(text, "\nPid:");
  return field == nullptr ? 0 : std::atoi(field + std::strlen("\nPid:"));
}

std::atomic<bool> is_supervising = false;

}  // namespace

Turn Turn::take() {
  Turn turn;
  turn.is_held_ = !is_supervising.exchange(true);
  return turn;
}

Turn::~Turn() {
  if (is_held_) is_supervising = false;
}

std::variant<HeldClient, LaunchFailure> launch(const LaunchRequest& request) {
  std::vector<char*> arguments;
  for (const std::string& word : request.command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const Program program = {
      .arguments = arguments.data(), .fds = request.fds, .mounts = request.mounts,
      .answered_by = request.answered_by};

  Turn turn = Turn::take();
  if (!turn.is_held()) return LaunchFailure{LaunchStage::busy, EBUSY};
  if (const auto missing = find_missing_call()) {
    return LaunchFailure{LaunchStage::call, missing->error, missing->call};
  }
  std::optional<SocketPair> to_guard = socket_pair();
  std::optional<SocketPair> to_client = socket_pair();
  if (!to_guard || !to_client) return LaunchFailure{LaunchStage::call, errno, "socketpair"};
  // Of the guard, should it be killed; and then of its orphans. Yama lets only ancestors look into
  // them.
  if (::prctl(PR_SET_CHILD_SUBREAPER, 1) < 0) {
    return LaunchFailure{LaunchStage::call, errno, "prctl(PR_SET_CHILD_SUBREAPER)"};
  }
  pid_t guard;
  {
    // A signal that came before the forks have handlers of their own would run those of Node, which
    // write to a pipe that the forks share with this process: it would be ours twice, and not theirs.
    const NoSignals no_signals;
    guard = ::fork();
    if (guard == 0) become_guard(to_guard->theirs.get(), to_client->theirs.get(), program);
  }
  if (guard < 0) return LaunchFailure{LaunchStage::fork, errno};
  to_guard->theirs.reset();
  to_client->theirs.reset();

  HeldClient client = {
      .turn = std::move(turn),
      .group_signals = GroupSignals::ignore(),
      .guard = Guard(guard, std::move(to_guard->ours)),
      .channel = std::move(to_client->ours),
  };
  std::optional<LaunchFailure> failure = hear_of_launch(client);
  if (!failure) return client;
  client.guard.finish();
  return *failure;
}

std::variant<HeldClient, LaunchFailure> adopt(UniqueFd listener, UniqueFd pidfd, UniqueFd guard) {
  if (const auto missing = find_missing_call()) {
    return LaunchFailure{LaunchStage::call, missing->error, missing->call};
  }
  HeldClient client = {.pid = process_of_pidfd(pidfd.get()),
                       .pidfd = std::move(pidfd),
                       .listener = std::move(listener),
                       .guard_elsewhere = std::move(guard)};
  // 0: it is in a PID namespace that this process does not see; -1: it has ended.
  if (client.pid <= 0) return LaunchFailure{LaunchStage::process, ESRCH};
  if (const ErrorNumber error = why_not_install(client.listener.get()); error != 0) {
    return LaunchFailure{LaunchStage::install, error};
  }
  // Nothing is mapped there, which is only said to who may look.
  std::byte nothing;
  if (read_memory(client.pid, 0, {&nothing, 1}) == Access::out_of_reach) {
    return LaunchFailure{LaunchStage::foreign_memory, EPERM};
  }
  return client;
}

int let_go(HeldClient& client) {
  if (::send(client.channel.get(), &go_on, 1, MSG_NOSIGNAL) != 1) return ECHILD;
  // The channel is close-on-exec: its end is the good news.
  const std::optional<Received> failed = receive_report(client.channel.get());
  client.channel.reset();
  return failed ? failed->report.error : 0;
}

}  // namespace tdctl::supervisor
