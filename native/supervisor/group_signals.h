#pragma once

#include <signal.h>

#include <utility>

namespace tdctl::supervisor {

// While one is held, what a program sends to its group, which this process is in, does not end this
// process: as a shell does while it waits for a command, it ignores signals that it has no handler
// for and that would end it. Those that ask for its end (SIGINT, SIGTERM, SIGHUP) it goes on hearing,
// and its own faults remain deadly.
class GroupSignals {
 public:
  GroupSignals() = default;
  GroupSignals(GroupSignals&& other) noexcept : ignored_(std::exchange(other.ignored_, none())) {}
  GroupSignals& operator=(GroupSignals&& other) noexcept {
    std::swap(ignored_, other.ignored_);
    return *this;
  }
  ~GroupSignals();

  static GroupSignals ignore();

 private:
  static sigset_t none();

  sigset_t ignored_ = none();
};

}  // namespace tdctl::supervisor
