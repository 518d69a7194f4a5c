#include "launch.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <optional>
#include <utility>

#include "client_memory.h"
#include "filter.h"
#include "notifications.h"

namespace tdctl::supervisor {

namespace {

// What the fork says of itself: first with the listener, once more if exec fails.
struct Report {
  LaunchStage stage;
  int error;
};

constexpr char go_on = 'g';

union ControlBuffer {
  cmsghdr header;
  char bytes[CMSG_SPACE(sizeof(int))];
};

void send_report(int channel, Report report, int listener) {
  iovec content = {.iov_base = &report, .iov_len = sizeof report};
  ControlBuffer control = {};
  msghdr message = {};
  message.msg_iov = &content;
  message.msg_iovlen = 1;
  if (listener >= 0) {
    message.msg_control = control.bytes;
    message.msg_controllen = sizeof control.bytes;
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof listener);
    std::memcpy(CMSG_DATA(header), &listener, sizeof listener);
  }
  static_cast<void>(::sendmsg(channel, &message, MSG_NOSIGNAL));
}

struct Received {
  Report report;
  UniqueFd listener;
};

// Nothing where the other end is gone.
std::optional<Received> receive_report(int channel) {
  Received received = {};
  iovec content = {.iov_base = &received.report, .iov_len = sizeof received.report};
  ControlBuffer control = {};
  msghdr message = {};
  message.msg_iov = &content;
  message.msg_iovlen = 1;
  message.msg_control = control.bytes;
  message.msg_controllen = sizeof control.bytes;
  ssize_t length;
  do {
    length = ::recvmsg(channel, &message, MSG_CMSG_CLOEXEC);
  } while (length < 0 && errno == EINTR);
  if (length != sizeof received.report) return std::nullopt;
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header != nullptr && header->cmsg_type == SCM_RIGHTS) {
    int listener;
    std::memcpy(&listener, CMSG_DATA(header), sizeof listener);
    received.listener = UniqueFd(listener);
  }
  return received;
}

// As a shell leaves them: what this process ignores or blocks is its own matter.
void reset_signals() {
  struct sigaction standard = {};
  standard.sa_handler = SIG_DFL;
  for (int signal = 1; signal < NSIG; ++signal) ::sigaction(signal, &standard, nullptr);
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

// In the fork of a process with several threads: system calls only until exec, since another
// thread may have held any lock.
[[noreturn]] void become_client(int channel, pid_t parent, char* const* arguments) {
  const auto fail = [channel](LaunchStage stage, int error) {
    send_report(channel, {stage, error}, -1);
    ::_exit(127);
  };
  reset_signals();
  restore_standard_streams();
  // A supervisor that dies answers nobody; its client would go on without files or KVM.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) fail(LaunchStage::no_new_privileges, errno);
  const int listener = load_filter();
  if (listener < 0) fail(LaunchStage::filter, -listener);
  send_report(channel, {LaunchStage::exec, 0}, listener);
  ::close(listener);
  char word = 0;
  if (::read(channel, &word, 1) != 1 || word != go_on) ::_exit(127);
  ::execvp(arguments[0], arguments);
  fail(LaunchStage::exec, errno);
  ::_exit(127);
}

// Can this process look into its client? The fork has the same address space layout.
std::optional<LaunchFailure> find_obstacle(const HeldClient& client) {
  if (!can_install(client.listener.get())) return LaunchFailure{LaunchStage::install, EINVAL};
  static constexpr char sample = 's';
  std::byte copy;
  if (read_memory(client.pid, reinterpret_cast<std::uintptr_t>(&sample), {&copy, 1}) !=
      Access::done) {
    return LaunchFailure{LaunchStage::memory, EPERM};
  }
  return std::nullopt;
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

std::variant<HeldClient, LaunchFailure> launch(const std::vector<std::string>& command) {
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);

  Turn turn = Turn::take();
  if (!turn.is_held()) return LaunchFailure{LaunchStage::busy, EBUSY};
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
    return LaunchFailure{LaunchStage::fork, errno};
  }
  UniqueFd ours(ends[0]);
  UniqueFd theirs(ends[1]);
  const pid_t self = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return LaunchFailure{LaunchStage::fork, errno};
  if (pid == 0) become_client(theirs.get(), self, arguments.data());
  theirs.reset();

  std::optional<Received> received = receive_report(ours.get());
  HeldClient client = {.turn = std::move(turn), .pid = pid, .channel = std::move(ours)};
  std::optional<LaunchFailure> failure;
  if (!received) {
    failure = LaunchFailure{LaunchStage::fork, ECHILD};
  } else if (received->report.error != 0) {
    failure = LaunchFailure{received->report.stage, received->report.error};
  } else {
    client.listener = std::move(received->listener);
    client.pidfd = UniqueFd(static_cast<int>(::syscall(__NR_pidfd_open, pid, 0)));
    failure = find_obstacle(client);
  }
  if (!failure) return client;
  give_up(client);
  return *failure;
}

int let_go(HeldClient& client) {
  if (::send(client.channel.get(), &go_on, 1, MSG_NOSIGNAL) != 1) return ECHILD;
  // The channel is close-on-exec: its end is the good news.
  const std::optional<Received> failed = receive_report(client.channel.get());
  client.channel.reset();
  return failed ? failed->report.error : 0;
}

void give_up(HeldClient& client) {
  ::kill(client.pid, SIGKILL);
  reap(client);
}

void reap(const HeldClient& client) {
  while (::waitpid(client.pid, nullptr, 0) < 0 && errno == EINTR) {
  }
}

}  // namespace tdctl::supervisor
