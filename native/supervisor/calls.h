// The calls that wait for an answer from JS.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "pending_signals.h"

namespace tdctl::supervisor {

// Numbers calls from 1 on, for JS; the kernel's own ids are too large for a number there.
using CallNumber = std::uint32_t;

struct Call {
  // The kernel's id of the notification.
  std::uint64_t id = 0;
  pid_t thread = 0;
  // Its handler will answer it later.
  bool kept = false;
  // A signal ends it, as it ends KVM_RUN; told once.
  bool until_signal = false;
  // KVM_SET_SIGNAL_MASK: blocked meanwhile, in place of what the thread blocks.
  std::optional<SignalSet> blocked = std::nullopt;
};

// Used by several threads.
class Calls {
 public:
  CallNumber add(Call call) {
    const std::lock_guard lock(mutex_);
    calls_.emplace(++last_, call);
    return last_;
  }

  std::optional<Call> find(CallNumber number) const {
    const std::lock_guard lock(mutex_);
    const auto found = calls_.find(number);
    return found == calls_.end() ? std::nullopt : std::optional(found->second);
  }

  void remove(CallNumber number) {
    const std::lock_guard lock(mutex_);
    calls_.erase(number);
  }

  // It is answered after its handler has returned.
  void keep(CallNumber number) {
    const std::lock_guard lock(mutex_);
    const auto found = calls_.find(number);
    if (found != calls_.end()) found->second.kept = true;
  }

  // A signal ends the call from now on.
  void wait_for_signal(CallNumber number, std::optional<SignalSet> blocked) {
    const std::lock_guard lock(mutex_);
    const auto found = calls_.find(number);
    if (found == calls_.end()) return;
    found->second.until_signal = true;
    found->second.blocked = blocked;
  }

  // Those that wait for a signal, and that `has_come` says so of; each once.
  template <typename Predicate>
  std::vector<CallNumber> signalled(Predicate has_come) {
    std::vector<CallNumber> found;
    const std::lock_guard lock(mutex_);
    for (auto& [number, call] : calls_) {
      if (!call.until_signal || !has_come(call)) continue;
      call.until_signal = false;
      found.push_back(number);
    }
    return found;
  }

  // The number of the last one that was added.
  CallNumber last() const {
    const std::lock_guard lock(mutex_);
    return last_;
  }

  bool empty() const {
    const std::lock_guard lock(mutex_);
    return calls_.empty();
  }

  // Of a call that was removed, and could not be answered.
  void put_back(CallNumber number, Call call) {
    const std::lock_guard lock(mutex_);
    calls_.emplace(number, call);
  }

  std::vector<CallNumber> all() const {
    const std::lock_guard lock(mutex_);
    std::vector<CallNumber> numbers;
    for (const auto& [number, call] : calls_) numbers.push_back(number);
    return numbers;
  }

  // Takes out those that `is_over` says so of.
  template <typename Predicate>
  std::vector<CallNumber> take(Predicate is_over) {
    std::vector<CallNumber> taken;
    const std::lock_guard lock(mutex_);
    std::erase_if(calls_, [&](const auto& entry) {
      const bool over = is_over(entry.second);
      if (over) taken.push_back(entry.first);
      return over;
    });
    return taken;
  }

 private:
  mutable std::mutex mutex_;
  CallNumber last_ = 0;
  std::unordered_map<CallNumber, Call> calls_;
};

}  // namespace tdctl::supervisor
