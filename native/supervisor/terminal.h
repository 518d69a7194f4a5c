// The state of the terminal, which a program that is killed cannot put back.
#pragma once

#include <termios.h>

namespace tdctl::supervisor {

class TerminalState {
 public:
  // Remembers that of the first of stdin, stdout and stderr that is a terminal.
  TerminalState();
  // For a thread that blocks signals: else a process in the background would be stopped for it.
  void restore() const;

 private:
  int fd_ = -1;
  termios state_ = {};
};

}  // namespace tdctl::supervisor
