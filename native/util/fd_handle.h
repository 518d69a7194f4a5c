// An fd, the calls in flight that use it, and its end. Used on the JS thread only; worker threads
// see the number through an FdUse.
#pragma once

#include <napi.h>

#include <cstdint>
#include <memory>
#include <optional>

#include "closer.h"
#include "memory_slots.h"
#include "unique_fd.h"

namespace tdctl {

class FdHandle {
 public:
  // `noun` names the object in errors: `the VM is closed`. `slots` is the guest memory that lives
  // as long as the kernel object behind the fd; null for /dev/kvm.
  FdHandle(UniqueFd fd, const char* noun, std::shared_ptr<MemorySlots> slots);

  int fd() const { return fd_.get(); }
  const char* noun() const { return noun_; }
  bool is_closed() const { return closed_; }
  const std::shared_ptr<MemorySlots>& slots() const { return slots_; }

  // A vCPU of a guest. While that runs, KVM_RUN has it and every other call would wait.
  enum class Hold : std::uint8_t { none, parked, running };
  Hold hold() const { return hold_; }
  void set_hold(Hold hold) { hold_ = hold; }
  std::uint32_t calls_in_flight() const { return calls_in_flight_; }
  // How many there ever were, to see whether there was one meanwhile.
  std::uint64_t calls_made() const { return calls_made_; }

  // No new call from now on; closes off the main thread when the last call in flight has ended,
  // never under a running ioctl.
  KeptPromise close(Napi::Env env);

  // The fd is the caller's, where no call is in flight. No new call from now on.
  int release();

  // The JS object is gone. True if nobody had closed it, which closes it now.
  bool abandon();

 private:
  friend class FdUse;
  KeptPromise close_now(Napi::Env env);
  void end_call(Napi::Env env);

  // Before the fd, so that it goes after it: the VM must be gone when its memory is unmapped.
  std::shared_ptr<MemorySlots> slots_;
  UniqueFd fd_;
  const char* noun_;
  bool closed_ = false;
  Hold hold_ = Hold::none;
  std::uint32_t calls_in_flight_ = 0;
  std::uint64_t calls_made_ = 0;
  // The close that waits for the calls in flight.
  std::optional<Napi::Promise::Deferred> closing_;
};

// A call's hold on an fd: keeps it open, and its JS object from being collected. Made and
// destroyed on the JS thread, read on a worker thread.
class FdUse {
 public:
  FdUse(std::shared_ptr<FdHandle> handle, Napi::Object owner);
  FdUse(FdUse&&) = default;
  FdUse& operator=(FdUse&&) = delete;
  ~FdUse();

  int fd() const { return fd_; }
  const FdHandle& handle() const { return *handle_; }

 private:
  std::shared_ptr<FdHandle> handle_;
  int fd_;
  Napi::ObjectReference owner_;
};

}  // namespace tdctl
