#include "user_memory.h"

#include <cstring>

#include "uapi/kvm.h"
#include "util/arguments.h"
#include "util/closer.h"
#include "util/task.h"

namespace tdctl {

Napi::Function UserMemory::define(Napi::Env env) {
  return DefineClass(env, name,
                     {
                         StaticMethod<&UserMemory::map>("map"),
                         InstanceAccessor<&UserMemory::get_address>("address"),
                         InstanceAccessor<&UserMemory::get_size_bytes>("sizeBytes"),
                         InstanceAccessor<&UserMemory::get_fd>("fd"),
                         InstanceMethod<&UserMemory::write>("write"),
                         InstanceMethod<&UserMemory::read>("read"),
                         InstanceMethod<&UserMemory::discard>("discard"),
                         InstanceMethod<&UserMemory::close>("close"),
                     });
}

UserMemory::UserMemory(const Napi::CallbackInfo& info) : Napi::ObjectWrap<UserMemory>(info) {
  if (auto mapping = begin_construction<UserMemory>(info)) {
    mapping_ = std::move(*mapping);
    address_ = address_of(mapping_->address());
    size_bytes_ = mapping_->size_bytes();
  }
}

Napi::Value UserMemory::map(const Napi::CallbackInfo& info) {
  Arguments arguments(info, nullptr);
  const std::uint64_t size_bytes = arguments.uint64(info[0], "sizeBytes");
  if (size_bytes == 0 || size_bytes % uapi::page_size != 0) {
    arguments.range_mistake("`sizeBytes` must be a multiple of 4096n above 0n");
  }
  bool is_shared = false;
  if (!info[1].IsUndefined() && arguments.object(info[1], "options")) {
    is_shared = arguments.field(info[1], "shared").ToBoolean();
  }
  if (arguments.is_wrong()) return rejected(info.Env(), arguments.mistake());
  return run_off_thread(
      info.Env(),
      [size_bytes, is_shared] {
        return is_shared ? Mapping::map_shared(size_bytes) : Mapping::map(size_bytes);
      },
      make<UserMemory>);
}

Napi::Value UserMemory::get_fd(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), mapping_ ? mapping_->fd() : -1);
}

Napi::Value UserMemory::get_address(const Napi::CallbackInfo& info) {
  return Napi::BigInt::New(info.Env(), address_);
}

Napi::Value UserMemory::get_size_bytes(const Napi::CallbackInfo& info) {
  return Napi::BigInt::New(info.Env(), size_bytes_);
}

Napi::Value UserMemory::write(const Napi::CallbackInfo& info) {
  Arguments arguments(info, nullptr);
  const std::uint64_t offset = arguments.uint64(info[0], "offsetBytes");
  const std::span<const std::byte> bytes = arguments.view(info[1], "bytes");
  const MemoryRange range =
      arguments.memory_range(info.This(), "the memory", offset, bytes.size());
  if (arguments.is_wrong()) {
    arguments.mistake().ThrowAsJavaScriptException();
    return {};
  }
  // memmove: the bytes may be a view of anything.
  if (!bytes.empty()) {
    std::memmove(range.mapping->address() + offset, bytes.data(), bytes.size());
  }
  return info.Env().Undefined();
}

Napi::Value UserMemory::read(const Napi::CallbackInfo& info) {
  Arguments arguments(info, nullptr);
  const std::uint64_t offset = arguments.uint64(info[0], "offsetBytes");
  const std::uint32_t length = arguments.uint32(info[1], "lengthBytes");
  const MemoryRange range = arguments.memory_range(info.This(), "the memory", offset, length);
  if (arguments.is_wrong()) {
    arguments.mistake().ThrowAsJavaScriptException();
    return {};
  }
  Napi::Uint8Array copy = Napi::Uint8Array::New(info.Env(), length);
  // Empty where JS has no room for it; the exception is pending.
  if (!copy.IsEmpty() && length > 0) {
    std::memcpy(copy.Data(), range.mapping->address() + offset, length);
  }
  return copy;
}

Napi::Value UserMemory::discard(const Napi::CallbackInfo& info) {
  Arguments arguments(info, nullptr);
  const PageRange pages = arguments.pages(info[0], info[1]);
  const MemoryRange range =
      arguments.memory_range(info.This(), "the memory", pages.offset, pages.length);
  if (arguments.is_wrong()) return rejected(info.Env(), arguments.mistake());
  return run_off_thread(
      info.Env(),
      [mapping = range.mapping, pages] { return mapping->discard(pages.offset, pages.length); },
      [](Napi::Env env, Done) -> Napi::Value { return env.Undefined(); });
}

// Unmaps off the main thread, once no slot and no call in flight holds the mapping.
Napi::Value UserMemory::close(const Napi::CallbackInfo& info) {
  if (!closed_) {
    closed_ = Environment::of(info.Env())
                  .closer.close(info.Env(), Closing{.memory = std::move(mapping_), .fd = {}});
  }
  return closed_->Value();
}

}  // namespace tdctl
