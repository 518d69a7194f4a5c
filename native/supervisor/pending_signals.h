// Signals that wait for a thread to leave the kernel.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>

namespace tdctl::supervisor {

// Bit n - 1: signal n, as in /proc and in KVM_SET_SIGNAL_MASK.
using SignalSet = std::uint64_t;

// Whether a signal waits that the thread does not block: its own, or one of its process that any of
// its threads may take. `blocked`: in place of what the thread itself blocks. False where it is gone.
bool has_pending_signal(pid_t thread, std::optional<SignalSet> blocked = std::nullopt);

}  // namespace tdctl::supervisor
