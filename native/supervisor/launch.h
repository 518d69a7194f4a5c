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

// Held back before its exec, until it is told to go on.
struct HeldClient {
  Turn turn = {};
  GroupSignals group_signals = {};
  Guard guard = {};
  pid_t pid = 0;
  UniqueFd pidfd = {};
  UniqueFd listener = {};
  // To the client, until its exec.
  UniqueFd channel = {};
};

// Where a launch failed. `busy`: this process supervises a command already. `call`: a system call that
// supervision needs. `exec`: the program itself could not be started.
enum class LaunchStage { busy, call, fork, no_new_privileges, filter, install, memory, exec };

struct LaunchFailure {
  LaunchStage stage;
  int error;
  // Of the stage `call`.
  const char* call = "";
};

// Has the filter loaded, and this process is known to be able to supervise it. It and all that it
// starts end with this process.
std::variant<HeldClient, LaunchFailure> launch(const std::vector<std::string>& command);

// Lets it become the program. 0, or the errno of exec: then it has ended. Blocks until the exec is
// over, which a supervisor must be serving.
int let_go(HeldClient& client);

}  // namespace tdctl::supervisor
