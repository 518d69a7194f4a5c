#pragma once

#include <memory>

#include "util/fd_object.h"

namespace tdctl {

// /dev/kvm.
class System : public FdObject<System> {
 public:
  struct State {
    std::shared_ptr<FdHandle> handle;
  };
  static constexpr const char* name = "System";
  static constexpr const char* made_by = "System.open()";
  static constexpr napi_type_tag tag = {0x7464c7164, 0x10000};
  static Napi::FunctionReference& constructor(Environment& environment) {
    return environment.system;
  }
  static Napi::Function define(Napi::Env env);

  explicit System(const Napi::CallbackInfo& info);

 private:
  friend FdObject;
  static Napi::Value open(const Napi::CallbackInfo& info);
  Napi::Value kvm_get_api_version(const Napi::CallbackInfo& info);
  Napi::Value kvm_check_extension(const Napi::CallbackInfo& info);
  Napi::Value kvm_create_vm(const Napi::CallbackInfo& info);
  Napi::Value kvm_get_vcpu_mmap_size(const Napi::CallbackInfo& info);
  Napi::Value kvm_get_supported_cpuid(const Napi::CallbackInfo& info);
  Napi::Value kvm_get_msr_index_list(const Napi::CallbackInfo& info);
};

}  // namespace tdctl
