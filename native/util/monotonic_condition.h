// A condition variable with a deadline on a clock that nobody sets. That of the standard library asks for
// pthread_cond_clockwait, which musl does not have, or goes by the clock of the wall.
#pragma once

#include <pthread.h>
#include <time.h>

#include <cerrno>
#include <cstdint>
#include <mutex>

namespace tdctl {

class MonotonicCondition {
 public:
  MonotonicCondition() {
    pthread_condattr_t attributes;
    ::pthread_condattr_init(&attributes);
    ::pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    ::pthread_cond_init(&condition_, &attributes);
    ::pthread_condattr_destroy(&attributes);
  }
  ~MonotonicCondition() { ::pthread_cond_destroy(&condition_); }
  MonotonicCondition(const MonotonicCondition&) = delete;
  MonotonicCondition& operator=(const MonotonicCondition&) = delete;

  void notify_all() { ::pthread_cond_broadcast(&condition_); }

  // Whether it is so by then.
  template <typename Predicate>
  bool wait_for(std::unique_lock<std::mutex>& lock, std::uint32_t ms, Predicate is_so) {
    timespec until;
    ::clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += std::int64_t{ms % 1000} * 1'000'000;
    if (until.tv_nsec >= 1'000'000'000) {
      ++until.tv_sec;
      until.tv_nsec -= 1'000'000'000;
    }
    while (!is_so()) {
      const int error =
          ::pthread_cond_timedwait(&condition_, lock.mutex()->native_handle(), &until);
      if (error == ETIMEDOUT) return is_so();
    }
    return true;
  }

 private:
  pthread_cond_t condition_;
};

}  // namespace tdctl
