// Starts a program whose KVM calls go to a supervisor, without a helper program: a fork of this
// process is the program's guard, and a fork of that loads the filter, hands over the listener and
// becomes the program.
#pragma once

#include <sys/types.h>

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "../util/unique_fd.h"
#include "group_signals.h"
#include "guard.h"

namespace tdctl::supervisor {

// Held by the one supervisor of this process: what it reaps are the orphans of one command.
class Turn {
 public:
  // Not held while another one is.
  static Turn take();
  Turn() = default;
  Turn(Turn&& other) noexcept : is_held_(std::exchange(other.is_held_, false)) {}
  Turn& operator=(Turn&& other) noexcept {
    std::swap(is_held_, other.is_held_);
    return *this;
  }
  ~Turn();

  bool is_held() const { return is_held_; }

 private:
  bool is_held_ = false;
};

// Held back before its exec, until it is told to go on. Whoever answers its calls needs `pidfd` and
// `listener`, and may be another process than the one that started it; the rest is of its parent.
struct HeldClient {
  Turn turn = {};
  GroupSignals group_signals = {};
  Guard guard = {};
  pid_t pid = 0;
  UniqueFd pidfd = {};
  UniqueFd listener = {};
  // To the client, until its exec.
  UniqueFd channel = {};
  // In the process that adopted it: the pidfd of its guard, which is no child of this process.
  UniqueFd guard_elsewhere = {};

  // Whether another process started it, and tells of its end.
  bool is_adopted() const { return guard_elsewhere.is_open(); }
};

// Where a launch failed. `busy`: this process supervises a command already. `call`: a system call that
// supervision needs. `exec`: the program itself could not be started. Of one that is adopted: `process`, it is not seen
// by this process; `foreign_memory`, this process may not look into it.
enum class LaunchStage {
  busy,
  call,
  fork,
  no_new_privileges,
  filter,
  install,
  memory,
  exec,
  process,
  foreign_memory
};

struct LaunchFailure {
  LaunchStage stage;
  int error;
  // Of the stage `call`.
  const char* call = "";
};

// What the program sees in another place than the rest of the machine, in a mount namespace of its own.
struct Mount {
  enum class Kind {
    // `source`, a file or a directory, at `target`.
    bind,
    // An overlay with these options (`source`) at `target`.
    overlay,
    // What is at `target` before, whatever covers it.
    keep
  };
  Kind kind;
  std::string source;
  std::string target;
};

struct LaunchRequest {
  std::vector<std::string> command;
  // The process that will answer, where that is another one: Yama must let it look into the program. 0: this one.
  pid_t answered_by = 0;
  // Fds that the program gets besides its standard streams, by the numbers that they have here.
  std::vector<int> fds = {};
  // Made as far as this process may.
  std::vector<Mount> mounts = {};
};

// Has the filter loaded, and this process is known to be able to supervise it. It and all that it
// starts end with this process.
std::variant<HeldClient, LaunchFailure> launch(const LaunchRequest& request);

// Of one that another process holds, whose fds have been passed to this one.
std::variant<HeldClient, LaunchFailure> adopt(UniqueFd listener, UniqueFd pidfd, UniqueFd guard);

// Lets it become the program. 0, or the errno of exec: then it has ended. Blocks until the exec is
// over, which a supervisor must be serving.
int let_go(HeldClient& client);

}  // namespace tdctl::supervisor
