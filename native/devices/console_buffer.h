// What a guest has written and nobody has taken yet. Bounded: what a slow reader loses is counted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

namespace tdctl {

class ConsoleBuffer {
 public:
  struct Taken {
    std::vector<std::byte> bytes;
    // Written after `bytes`, and dropped.
    std::uint64_t lost_bytes = 0;
    bool empty() const { return bytes.empty() && lost_bytes == 0; }
  };

  explicit ConsoleBuffer(std::size_t bound) : bound_(bound) {}

  // True where it is the first since the last take(): somebody must be told.
  bool put(std::uint8_t byte) {
    const std::lock_guard lock(mutex_);
    const bool first = taken_.empty();
    // Nothing more until the next take(): the loss is one gap, at the end.
    if (taken_.bytes.size() < bound_ && taken_.lost_bytes == 0) {
      taken_.bytes.push_back(std::byte{byte});
    } else {
      ++taken_.lost_bytes;
    }
    return first;
  }

  Taken take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(taken_, {});
  }

 private:
  const std::size_t bound_;
  std::mutex mutex_;
  Taken taken_;
};

}  // namespace tdctl
