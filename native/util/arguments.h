// Reads arguments from JS. Misuse is remembered, not thrown: the first mistake wins, later reads
// give zeros, and whoever makes the call rejects with it. One wording for each kind of mistake.
#pragma once

#include <napi.h>

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "../uapi/kvm.h"
#include "fd_handle.h"
#include "memory_slots.h"

namespace tdctl {

// A range of a user memory, and the hold on it.
struct MemoryRange {
  std::shared_ptr<Mapping> mapping;
  std::uint64_t address = 0;
};

// An fd of this process that is to be sent, held open.
struct SentFd {
  std::optional<FdUse> use = {};
  std::shared_ptr<Mapping> mapping = {};
  int number() const { return use ? use->fd() : mapping->fd(); }
};

struct PageRange {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

class Arguments {
 public:
  // `request` is what the call is about, by the kernel's name; null where it is no ioctl.
  Arguments(const Napi::CallbackInfo& info, const char* request)
      : info_(&info), env_(info.Env()), request_(request) {}
  // For what is no argument: what a handler returned.
  explicit Arguments(Napi::Env env) : info_(nullptr), env_(env), request_(nullptr) {}

  Napi::Env env() const { return env_; }
  bool is_wrong() const { return mistake_.has_value(); }
  const Napi::Error& mistake() const { return *mistake_; }

  Napi::Value at(std::size_t index) const { return (*info_)[index]; }
  // Undefined where there is no such field; a mistake where `object` is none, or a getter throws.
  Napi::Value field(Napi::Value object, const char* name);
  bool object(Napi::Value value, const std::string& name);

  bool boolean(Napi::Value value, const std::string& name);
  std::uint32_t uint32(Napi::Value value, const std::string& name, std::uint32_t least = 0,
                       std::uint32_t most = std::numeric_limits<std::uint32_t>::max());
  std::uint32_t uint32_or(std::uint32_t otherwise, Napi::Value value, const std::string& name,
                          std::uint32_t least = 0);
  std::uint64_t uint64(Napi::Value value, const std::string& name);
  std::uint64_t uint64_or(std::uint64_t otherwise, Napi::Value value, const std::string& name);
  // Exactly as many bytes as `into` has.
  void bytes(Napi::Value value, const std::string& name, std::span<std::byte> into);
  // The bytes of a Uint8Array, valid until JS runs again.
  std::span<const std::byte> view(Napi::Value value, const std::string& name);
  // `offsetBytes` and `sizeBytes`: whole pages, at least one.
  PageRange pages(Napi::Value offset, Napi::Value length);
  std::string string(Napi::Value value, const std::string& name);
  // At most `most` elements; a mistake where it is no array.
  std::optional<Napi::Array> array(Napi::Value value, const std::string& name, std::uint32_t most);
  std::vector<std::uint32_t> uint32s(Napi::Value value, const std::string& name,
                                     std::uint32_t most);
  // At most as many as `into` has; what is left of it stays as it was.
  void uint64s(Napi::Value value, const std::string& name, std::span<std::uint64_t> into);
  std::vector<uapi::kvm_cpuid_entry2> cpuid_entries(
      Napi::Value value, const std::string& name,
      std::uint32_t most = uapi::kvm_max_cpuid_entries);
  // [offset, offset + length) of a UserMemory that is open.
  MemoryRange memory_range(Napi::Value value, const std::string& name, std::uint64_t offset,
                           std::uint64_t length);
  // An open Vm, Vcpu or GuestMemfd, which stays open for as long as the use is held.
  std::optional<FdUse> vm(Napi::Value value, const std::string& name);
  std::optional<FdUse> vcpu(Napi::Value value, const std::string& name);
  std::optional<FdUse> guest_memfd(Napi::Value value, const std::string& name);
  std::optional<FdUse> passed_fd(Napi::Value value, const std::string& name);
  // A Vm, or one that was passed.
  std::optional<FdUse> vm_or_passed(Napi::Value value, const std::string& name);
  // A Vm, GuestMemfd, UserMemory that is shared, FdChannel, or PassedFd.
  std::optional<SentFd> fd_to_send(Napi::Value value, const std::string& name);

  void type_mistake(const std::string& message);
  void range_mistake(const std::string& message);
  // EBADF: `what` was closed before.
  void closed_mistake(const std::string& what);
  // EBUSY.
  void busy_mistake(const std::string& sentence);

 private:
  template <typename Class>
  std::optional<FdUse> fd_object(Napi::Value value, const std::string& name);
  // An error that the kernel would give for the object.
  void object_mistake(int error_number, const std::string& sentence);
  // Takes over an exception that a getter or a proxy threw.
  bool take_pending_exception();

  const Napi::CallbackInfo* info_;
  Napi::Env env_;
  const char* request_;
  std::optional<Napi::Error> mistake_;
};

}  // namespace tdctl
