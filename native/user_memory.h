#pragma once

#include <napi.h>

#include <memory>

#include "util/closer.h"
#include "util/environment.h"
#include "util/memory_slots.h"
#include "util/wrapped.h"

namespace tdctl {

// Memory of this process, for slots and as a source of pages.
class UserMemory : public Napi::ObjectWrap<UserMemory> {
 public:
  using State = std::shared_ptr<Mapping>;
  static constexpr const char* name = "UserMemory";
  static constexpr const char* made_by = "UserMemory.map()";
  static constexpr napi_type_tag tag = {0x7464c7164, 0x10004};
  static Napi::FunctionReference& constructor(Environment& environment) {
    return environment.user_memory;
  }
  static Napi::Function define(Napi::Env env);

  explicit UserMemory(const Napi::CallbackInfo& info);

  // Null once closed, also while a slot keeps the memory mapped.
  const std::shared_ptr<Mapping>& mapping() const { return mapping_; }

 private:
  static Napi::Value map(const Napi::CallbackInfo& info);
  Napi::Value get_address(const Napi::CallbackInfo& info);
  Napi::Value get_size_bytes(const Napi::CallbackInfo& info);
  Napi::Value get_fd(const Napi::CallbackInfo& info);
  Napi::Value write(const Napi::CallbackInfo& info);
  Napi::Value read(const Napi::CallbackInfo& info);
  Napi::Value discard(const Napi::CallbackInfo& info);
  Napi::Value close(const Napi::CallbackInfo& info);

  std::shared_ptr<Mapping> mapping_;
  std::uint64_t address_ = 0;
  std::uint64_t size_bytes_ = 0;
  KeptPromise closed_;
};

}  // namespace tdctl
