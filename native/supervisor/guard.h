// This process's side of the guard (guard_process.h).
#pragma once

#include <sys/socket.h>
#include <sys/types.h>

#include <cerrno>
#include <optional>
#include <utility>

#include "../util/unique_fd.h"
#include "guard_process.h"

namespace tdctl::supervisor {

class Guard {
 public:
  Guard() = default;
  // A child of this process, and the socket to it.
  Guard(pid_t pid, UniqueFd channel) : pid_(pid), channel_(std::move(channel)) {}

  // Whether there is one, as a child of this process.
  bool is_there() const { return pid_ != 0; }
  pid_t pid() const { return pid_; }
  // Readable when there is something to hear, or the guard ends. -1: no more.
  int channel() const { return is_silent_ ? -1 : channel_.get(); }
  // What the fork says before it stands guard; waits for it. Nothing: it has ended.
  template <typename Word>
  std::optional<Word> hear_first() const {
    Word word;
    ssize_t length;
    do {
      length = ::recv(channel_.get(), &word, sizeof word, 0);
    } while (length < 0 && errno == EINTR);
    return length == sizeof word ? std::optional(word) : std::nullopt;
  }
  // How the command ended, told once.
  std::optional<CommandEnd> hear();

  // `done`: nothing that the command started is left. `lost`: it was killed, and what it guarded are
  // children of this process from now on.
  enum class State { watching, done, lost };
  // The guard's state. Whoever stopped it finds it going on.
  State look();

  // Of a guard that is lost: kills what it guarded, and reaps it. False: nothing is left.
  bool end_orphans();

  // Bids the guard kill the command and all that it started.
  void end_all();
  // The same, and waits until nothing is left: for so long as processes that are killed need.
  void finish();

 private:
  pid_t pid_ = 0;
  UniqueFd channel_;
  bool is_silent_ = false;
  State state_ = State::watching;
};

}  // namespace tdctl::supervisor
