// The one way to the kernel's ioctls: a function pointer, so that tests can put scripted answers
// in its place (testing/script.h) and see every byte.
#pragma once

#include <cstdint>
#include <memory>

#include "../uapi/kvm.h"
#include "result.h"
#include "unique_fd.h"

namespace tdctl {

// As ioctl(2): -1 and errno where refused. Called on worker threads.
using IoctlFunction = int (*)(void* context, int fd, unsigned long request,
                              unsigned long argument);

// Copied into each call on the JS thread, so that a change never meets a call in flight.
class Kernel {
 public:
  // The real one.
  Kernel();
  Kernel(IoctlFunction function, std::shared_ptr<void> context);

  // An ioctl whose argument is a value, or that has none.
  Result<int> ioctl(int fd, const uapi::Request& request, unsigned long value = 0) const;

  // An ioctl whose argument is a struct.
  template <typename Struct>
  Result<int> ioctl(int fd, const uapi::Request& request, Struct* argument) const {
    return ioctl(fd, request, reinterpret_cast<unsigned long>(argument));
  }

  // A TDX command in its envelope, KVM_MEMORY_ENCRYPT_OP. `data` is a value or an address.
  Result<int> tdx(int fd, const uapi::TdxCommand& command, std::uint32_t flags = 0,
                  std::uint64_t data = 0) const;

  const std::shared_ptr<void>& context() const { return context_; }

 private:
  IoctlFunction function_;
  std::shared_ptr<void> context_;
};

// The answer of a request that makes an fd.
Result<UniqueFd> as_fd(Result<int> answer);
// The answer of a request that returns nothing.
Result<Done> as_done(Result<int> answer);

template <typename Struct>
std::uint64_t address_of(Struct* object) {
  return reinterpret_cast<std::uintptr_t>(object);
}

}  // namespace tdctl
