#include "guard.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <thread>

namespace tdctl::supervisor {

namespace {

using Clock = std::chrono::steady_clock;

// A process that is killed gives back its memory first, and may be in a disk's hands.
constexpr std::chrono::seconds longest_end{5};
constexpr std::chrono::milliseconds look_again_after{1};

}  // namespace

std::optional<CommandEnd> Guard::hear() {
  CommandEnd end;
  ssize_t length;
  do {
    length = ::recv(channel_.get(), &end, sizeof end, MSG_DONTWAIT);
  } while (length < 0 && errno == EINTR);
  if (length == sizeof end) return end;
  if (length == 0) is_silent_ = true;
  return std::nullopt;
}

Guard::State Guard::look() {
  if (state_ != State::watching) return state_;
  int status;
  const pid_t changed = ::waitpid(pid_, &status, WNOHANG | WUNTRACED);
  if (changed == 0 || (changed < 0 && errno == EINTR)) return state_;
  if (changed == pid_ && WIFSTOPPED(status)) {
    ::kill(pid_, SIGCONT);
    return state_;
  }
  const bool is_done = changed == pid_ && WIFEXITED(status) && WEXITSTATUS(status) == 0;
  state_ = is_done ? State::done : State::lost;
  return state_;
}

bool Guard::end_orphans() {
  kill_children();
  pid_t reaped;
  do {
    reaped = ::waitpid(-1, nullptr, WNOHANG);
  } while (reaped > 0);
  if (reaped < 0) state_ = State::done;
  return state_ != State::done;
}

void Guard::end_all() { ::shutdown(channel_.get(), SHUT_WR); }

void Guard::finish() {
  if (pid_ == 0) return;
  end_all();
  const Clock::time_point enough = Clock::now() + longest_end;
  while (Clock::now() < enough) {
    const State now = look();
    if (now == State::done || (now == State::lost && !end_orphans())) return;
    std::this_thread::sleep_for(look_again_after);
  }
}

}  // namespace tdctl::supervisor
