#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "util/fd_object.h"

namespace tdctl {

// A vCPU fd.
class Vcpu : public FdObject<Vcpu> {
 public:
  struct State {
    std::shared_ptr<FdHandle> handle;
    std::uint32_t id;
  };
  static constexpr const char* name = "Vcpu";
  static constexpr const char* made_by = "vm.kvmCreateVcpu()";
  static constexpr napi_type_tag tag = {0x7464c7164, 0x10002};
  static Napi::FunctionReference& constructor(Environment& environment) {
    return environment.vcpu;
  }
  static Napi::Function define(Napi::Env env);

  explicit Vcpu(const Napi::CallbackInfo& info);

  // How long tdxInitMemRegion bears a stall where it is not told.
  static constexpr std::uint32_t default_stall_timeout_ms = 30'000;

 private:
  friend FdObject;
  Napi::Value get_id(const Napi::CallbackInfo& info);
  Napi::Value kvm_set_cpuid2(const Napi::CallbackInfo& info);
  Napi::Value kvm_set_tsc_khz(const Napi::CallbackInfo& info);
  Napi::Value tdx_init_vcpu(const Napi::CallbackInfo& info);
  Napi::Value tdx_get_cpuid(const Napi::CallbackInfo& info);
  // vcpu_registers.cc
  static std::vector<PropertyDescriptor> register_methods();
  template <const uapi::Request& asked>
  Napi::Value get_part(const Napi::CallbackInfo& info);
  template <const uapi::Request& asked>
  Napi::Value set_part(const Napi::CallbackInfo& info);
  Napi::Value kvm_get_regs(const Napi::CallbackInfo& info);
  Napi::Value kvm_set_regs(const Napi::CallbackInfo& info);
  Napi::Value kvm_get_xsave2(const Napi::CallbackInfo& info);
  Napi::Value kvm_set_xsave(const Napi::CallbackInfo& info);
  Napi::Value kvm_get_mp_state(const Napi::CallbackInfo& info);
  Napi::Value kvm_set_mp_state(const Napi::CallbackInfo& info);
  Napi::Value kvm_get_msrs(const Napi::CallbackInfo& info);
  Napi::Value kvm_set_msrs(const Napi::CallbackInfo& info);
  Napi::Value kvm_get_tsc_khz(const Napi::CallbackInfo& info);
  Napi::Value kvm_get_tsc_offset(const Napi::CallbackInfo& info);
  Napi::Value kvm_set_tsc_offset(const Napi::CallbackInfo& info);
  Napi::Value get_state(const Napi::CallbackInfo& info);
  Napi::Value set_state(const Napi::CallbackInfo& info);
  // vcpu_init_mem_region.cc
  Napi::Value tdx_init_mem_region(const Napi::CallbackInfo& info);

  std::uint32_t id_ = 0;
};

}  // namespace tdctl
