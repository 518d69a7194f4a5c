#include "pending_signals.h"

#include "thread_status.h"

namespace tdctl::supervisor {

bool has_pending_signal(pid_t thread, std::optional<SignalSet> blocked) {
  StatusField fields[] = {
      {.name = "SigPnd", .base = 16}, {.name = "ShdPnd", .base = 16}, {.name = "SigBlk", .base = 16}};
  if (!read_status(thread, fields)) return false;
  const auto& [own, shared, blocked_by_thread] = fields;
  return ((own.value | shared.value) & ~blocked.value_or(blocked_by_thread.value)) != 0;
}

}  // namespace tdctl::supervisor
