// Memory of this process, and the guest memory slots that point into it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "result.h"
#include "unique_fd.h"

namespace tdctl {

// Gives back the pages behind a range of a file in memory, whose size stays.
Result<Done> punch_hole(int fd, std::uint64_t offset, std::uint64_t length);

// Mapped from map() to the destructor.
class Mapping {
 public:
  // Anonymous, zeroed, not reserved in swap.
  static Result<std::shared_ptr<Mapping>> map(std::size_t size_bytes);
  // The same of a memfd, whose pages another process can map too.
  static Result<std::shared_ptr<Mapping>> map_shared(std::size_t size_bytes);

  Mapping(std::byte* address, std::size_t size_bytes, UniqueFd fd = {})
      : address_(address), size_bytes_(size_bytes), fd_(std::move(fd)) {}
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping();

  std::byte* address() const { return address_; }
  std::size_t size_bytes() const { return size_bytes_; }
  // -1 where it is not shared.
  int fd() const { return fd_.get(); }
  // Gives the pages of a range that is inside back to the kernel: zeros are read there afterwards.
  Result<Done> discard(std::size_t offset, std::size_t length);
  bool contains(std::uint64_t offset, std::uint64_t length) const {
    return offset <= size_bytes_ && length <= size_bytes_ - offset;
  }

 private:
  std::byte* address_;
  std::size_t size_bytes_;
  UniqueFd fd_;
};

// Which memory each slot of a VM points into. Shared by all fds of the VM, as the kernel's slots
// live until the last of them is closed.
class MemorySlots {
 public:
  // Runs `set_region`, () -> Result<int>, and remembers the memory if it succeeds; null forgets
  // it. One at a time, so that the last answer of the kernel is the last one remembered.
  template <typename SetRegion>
  Result<int> update(std::uint32_t slot, std::shared_ptr<Mapping> memory, SetRegion set_region) {
    const std::lock_guard lock(mutex_);
    Result<int> answer = set_region();
    if (answer.ok()) {
      if (memory) {
        memory_by_slot_[slot] = std::move(memory);
      } else {
        memory_by_slot_.erase(slot);
      }
    }
    return answer;
  }

 private:
  std::mutex mutex_;
  std::map<std::uint32_t, std::shared_ptr<Mapping>> memory_by_slot_;
};

}  // namespace tdctl
