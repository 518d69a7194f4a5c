#include "terminal.h"

#include <unistd.h>

#include <cstring>

namespace tdctl::supervisor {

TerminalState::TerminalState() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO && fd_ < 0; ++fd) {
    if (::tcgetattr(fd, &state_) == 0) fd_ = fd;
  }
}

void TerminalState::restore() const {
  termios now = {};
  if (fd_ < 0 || ::tcgetattr(fd_, &now) < 0) return;
  if (std::memcmp(&now, &state_, sizeof now) != 0) ::tcsetattr(fd_, TCSADRAIN, &state_);
}

}  // namespace tdctl::supervisor
