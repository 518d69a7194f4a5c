#pragma once

#include <memory>
#include <vector>

#include "util/fd_object.h"

namespace tdctl {

// A VM fd.
class Vm : public FdObject<Vm> {
 public:
  struct State {
    std::shared_ptr<FdHandle> handle;
  };
  static constexpr const char* name = "Vm";
  static constexpr const char* made_by = "system.kvmCreateVm()";
  static constexpr napi_type_tag tag = {0x7464c7164, 0x10001};
  static Napi::FunctionReference& constructor(Environment& environment) { return environment.vm; }
  static Napi::Function define(Napi::Env env);

  explicit Vm(const Napi::CallbackInfo& info);

 private:
  friend FdObject;
  // vm.cc
  Napi::Value kvm_check_extension(const Napi::CallbackInfo& info);
  Napi::Value kvm_enable_cap(const Napi::CallbackInfo& info);
  Napi::Value kvm_move_enc_context_from(const Napi::CallbackInfo& info);
  Napi::Value kvm_create_irqchip(const Napi::CallbackInfo& info);
  Napi::Value kvm_create_vcpu(const Napi::CallbackInfo& info);
  Napi::Value kvm_create_vcpus(const Napi::CallbackInfo& info);
  Napi::Value kvm_set_tsc_khz(const Napi::CallbackInfo& info);
  // vm_devices.cc
  static std::vector<PropertyDescriptor> device_methods();
  template <const uapi::Request& asked>
  Napi::Value get_part(const Napi::CallbackInfo& info);
  template <const uapi::Request& asked>
  Napi::Value set_part(const Napi::CallbackInfo& info);
  Napi::Value kvm_create_pit2(const Napi::CallbackInfo& info);
  Napi::Value kvm_get_irqchip(const Napi::CallbackInfo& info);
  Napi::Value kvm_irq_line(const Napi::CallbackInfo& info);
  Napi::Value kvm_signal_msi(const Napi::CallbackInfo& info);
  Napi::Value kvm_get_tsc_khz(const Napi::CallbackInfo& info);
  // vm_state.cc
  Napi::Value get_state(const Napi::CallbackInfo& info);
  Napi::Value set_state(const Napi::CallbackInfo& info);
  // vm_memory.cc
  Napi::Value kvm_set_user_memory_region(const Napi::CallbackInfo& info);
  Napi::Value kvm_set_user_memory_region2(const Napi::CallbackInfo& info);
  Napi::Value kvm_create_guest_memfd(const Napi::CallbackInfo& info);
  Napi::Value kvm_link_guest_memfd(const Napi::CallbackInfo& info);
  Napi::Value kvm_set_memory_attributes(const Napi::CallbackInfo& info);
  // vm_tdx.cc
  Napi::Value tdx_capabilities(const Napi::CallbackInfo& info);
  Napi::Value tdx_init_vm(const Napi::CallbackInfo& info);
  Napi::Value tdx_init_vm_fixed(const Napi::CallbackInfo& info);
  Napi::Value tdx_finalize_vm(const Napi::CallbackInfo& info);
  Napi::Value tdx_terminate_vm(const Napi::CallbackInfo& info);
};

}  // namespace tdctl
