#include "pending_signals.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "../util/unique_fd.h"

namespace tdctl::supervisor {

namespace {

SignalSet set_after(const char* text, const char* name) {
  const char* line = std::strstr(text, name);
  return line == nullptr ? 0 : std::strtoull(line + std::strlen(name), nullptr, 16);
}

}  // namespace

bool has_pending_signal(pid_t thread, std::optional<SignalSet> blocked) {
  char path[48];
  std::snprintf(path, sizeof path, "/proc/%d/status", thread);
  const UniqueFd file(::open(path, O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) return false;
  char text[4096];
  const ssize_t length = ::read(file.get(), text, sizeof text - 1);
  if (length <= 0) return false;
  text[length] = '\0';
  const SignalSet pending = set_after(text, "\nSigPnd:") | set_after(text, "\nShdPnd:");
  return (pending & ~blocked.value_or(set_after(text, "\nSigBlk:"))) != 0;
}

}  // namespace tdctl::supervisor
