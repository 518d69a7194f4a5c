#include "vcpu.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "util/cpuid_buffer.h"
#include "util/cpuid_js.h"

namespace tdctl {

namespace request = uapi::request;
namespace tdx_command = uapi::tdx_command;

Napi::Function Vcpu::define(Napi::Env env) {
  std::vector<PropertyDescriptor> members = {
      fd_property(),
      InstanceAccessor<&Vcpu::get_id>("id"),
      InstanceMethod<&Vcpu::kvm_set_cpuid2>("kvmSetCpuid2"),
      InstanceMethod<&Vcpu::kvm_set_tsc_khz>("kvmSetTscKhz"),
      InstanceMethod<&Vcpu::tdx_init_vcpu>("tdxInitVcpu"),
      InstanceMethod<&Vcpu::tdx_init_mem_region>("tdxInitMemRegion"),
      InstanceMethod<&Vcpu::tdx_get_cpuid>("tdxGetCpuid"),
      close_method(),
  };
  for (const PropertyDescriptor& method : register_methods()) members.push_back(method);
  return DefineClass(env, name, members);
}

Vcpu::Vcpu(const Napi::CallbackInfo& info) : FdObject(info) {
  if (auto state = begin_construction<Vcpu>(info)) {
    take_handle(std::move(state->handle));
    id_ = state->id;
  }
}

Napi::Value Vcpu::get_id(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), id_);
}

Napi::Value Vcpu::kvm_set_cpuid2(const Napi::CallbackInfo& info) {
  Arguments arguments(info, request::kvm_set_cpuid2.name);
  const std::vector<uapi::kvm_cpuid_entry2> entries = arguments.cpuid_entries(info[0], "entries");
  CpuidBuffer<uapi::kvm_cpuid2> buffer(static_cast<std::uint32_t>(entries.size()));
  std::ranges::copy(entries, buffer.entries().begin());
  return call(
      arguments,
      [buffer = std::move(buffer)](const Kernel& kernel, int fd) {
        return as_done(kernel.ioctl(fd, request::kvm_set_cpuid2, buffer.get()));
      },
      to_undefined);
}

Napi::Value Vcpu::kvm_set_tsc_khz(const Napi::CallbackInfo& info) {
  Arguments arguments(info, request::kvm_set_tsc_khz.name);
  const std::uint32_t tsc_khz = arguments.uint32(info[0], "tscKhz");
  return tell(arguments, request::kvm_set_tsc_khz, tsc_khz);
}

Napi::Value Vcpu::tdx_init_vcpu(const Napi::CallbackInfo& info) {
  Arguments arguments(info, tdx_command::kvm_tdx_init_vcpu.name);
  const std::uint64_t initial_rcx = arguments.uint64(info[0], "initialRcx");
  // `data` is the value itself here, not an address.
  return tell_tdx(arguments, tdx_command::kvm_tdx_init_vcpu, initial_rcx);
}

Napi::Value Vcpu::tdx_get_cpuid(const Napi::CallbackInfo& info) {
  Arguments arguments(info, tdx_command::kvm_tdx_get_cpuid.name);
  return call(
      arguments,
      [](const Kernel& kernel, int fd) {
        return grow_cpuid<uapi::kvm_cpuid2>([&](uapi::kvm_cpuid2* cpuid) {
          return kernel.tdx(fd, tdx_command::kvm_tdx_get_cpuid, 0, address_of(cpuid));
        });
      },
      [](Napi::Env env, CpuidBuffer<uapi::kvm_cpuid2> cpuid) -> Napi::Value {
        return cpuid_to_js(env, cpuid.entries());
      });
}

}  // namespace tdctl
