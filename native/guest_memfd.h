#pragma once

#include <cstdint>
#include <memory>

#include "util/fd_object.h"

namespace tdctl {

// Private memory of a guest. It pins its VM, and so its key slot, until it is closed.
class GuestMemfd : public FdObject<GuestMemfd> {
 public:
  struct State {
    std::shared_ptr<FdHandle> handle;
    std::uint64_t size_bytes;
  };
  static constexpr const char* name = "GuestMemfd";
  static constexpr const char* made_by = "vm.kvmCreateGuestMemfd() or GuestMemfd.ofFd()";
  static constexpr napi_type_tag tag = {0x7464c7164, 0x10003};
  static Napi::FunctionReference& constructor(Environment& environment) {
    return environment.guest_memfd;
  }
  static Napi::Function define(Napi::Env env);

  explicit GuestMemfd(const Napi::CallbackInfo& info);

  std::uint64_t size_bytes() const { return size_bytes_; }

 private:
  friend FdObject;
  static Napi::Value of_fd(const Napi::CallbackInfo& info);
  Napi::Value get_size_bytes(const Napi::CallbackInfo& info);
  Napi::Value punch_hole(const Napi::CallbackInfo& info);
  Napi::Value kvm_set_memory_attributes2(const Napi::CallbackInfo& info);

  std::uint64_t size_bytes_ = 0;
};

}  // namespace tdctl
