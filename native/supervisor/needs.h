// The system calls that supervision cannot do without, tried before there is a command.
#pragma once

#include <optional>

namespace tdctl::supervisor {

struct MissingCall {
  const char* call;
  int error;
};

// The first one that this Linux lacks, or that the sandbox around this process forbids. Calls that
// the fork makes of itself, and those on the listener, are tried where they are made.
std::optional<MissingCall> find_missing_call();

}  // namespace tdctl::supervisor
