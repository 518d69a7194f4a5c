// The TDX commands of a VM fd.
#include <algorithm>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

#include "util/cpuid_buffer.h"
#include "util/cpuid_js.h"
#include "vm.h"

namespace tdctl {

namespace tdx_command = uapi::tdx_command;

Napi::Value Vm::tdx_capabilities(const Napi::CallbackInfo& info) {
  Arguments arguments(info, tdx_command::kvm_tdx_capabilities.name);
  return call(
      arguments,
      [](const Kernel& kernel, int fd) {
        return grow_cpuid<uapi::kvm_tdx_capabilities>([&](uapi::kvm_tdx_capabilities* caps) {
          return kernel.tdx(fd, tdx_command::kvm_tdx_capabilities, 0, address_of(caps));
        });
      },
      [](Napi::Env env, CpuidBuffer<uapi::kvm_tdx_capabilities> buffer) -> Napi::Value {
        const uapi::kvm_tdx_capabilities& caps = *buffer.get();
        const auto bigint = [env](std::uint64_t value) { return Napi::BigInt::New(env, value); };
        Napi::Object object = Napi::Object::New(env);
        object.Set("supportedAttributes", bigint(caps.supported_attrs));
        object.Set("supportedXfam", bigint(caps.supported_xfam));
        object.Set("kernelTdvmcallInfo1R11", bigint(caps.kernel_tdvmcallinfo_1_r11));
        object.Set("userTdvmcallInfo1R11", bigint(caps.user_tdvmcallinfo_1_r11));
        object.Set("kernelTdvmcallInfo1R12", bigint(caps.kernel_tdvmcallinfo_1_r12));
        object.Set("userTdvmcallInfo1R12", bigint(caps.user_tdvmcallinfo_1_r12));
        object.Set("configurableCpuid", cpuid_to_js(env, buffer.entries()));
        return object;
      });
}

Napi::Value Vm::tdx_init_vm(const Napi::CallbackInfo& info) {
  Arguments arguments(info, tdx_command::kvm_tdx_init_vm.name);
  const Napi::Value params = info[0];
  arguments.object(params, "params");
  const std::vector<uapi::kvm_cpuid_entry2> entries =
      arguments.cpuid_entries(arguments.field(params, "cpuid"), "cpuid");
  CpuidBuffer<uapi::kvm_tdx_init_vm> buffer(static_cast<std::uint32_t>(entries.size()));
  std::ranges::copy(entries, buffer.entries().begin());

  uapi::kvm_tdx_init_vm& init = *buffer.get();
  init.attributes = arguments.uint64(arguments.field(params, "attributes"), "attributes");
  init.xfam = arguments.uint64(arguments.field(params, "xfam"), "xfam");
  const auto identity = [&](const char* name, std::uint64_t (&field)[6]) {
    arguments.bytes(arguments.field(params, name), name, std::as_writable_bytes(std::span(field)));
  };
  identity("mrConfigId", init.mrconfigid);
  identity("mrOwner", init.mrowner);
  identity("mrOwnerConfig", init.mrownerconfig);

  return call(
      arguments,
      [buffer = std::move(buffer)](const Kernel& kernel, int fd) {
        return as_done(
            kernel.tdx(fd, tdx_command::kvm_tdx_init_vm, 0, address_of(buffer.get())));
      },
      to_undefined);
}

Napi::Value Vm::tdx_finalize_vm(const Napi::CallbackInfo& info) {
  Arguments arguments(info, tdx_command::kvm_tdx_finalize_vm.name);
  return tell_tdx(arguments, tdx_command::kvm_tdx_finalize_vm);
}

Napi::Value Vm::tdx_terminate_vm(const Napi::CallbackInfo& info) {
  Arguments arguments(info, tdx_command::kvm_tdx_terminate_vm.name);
  return tell_tdx(arguments, tdx_command::kvm_tdx_terminate_vm);
}

}  // namespace tdctl
