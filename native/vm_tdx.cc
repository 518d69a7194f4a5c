// The TDX commands of a VM fd.
#include <algorithm>
#include <cstring>
#include <iterator>
#include <memory>
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

namespace {

// What both structs of INIT_VM have.
template <typename Init>
void read_init(Arguments& arguments, Napi::Value params, Init& init) {
  init.attributes = arguments.uint64(arguments.field(params, "attributes"), "attributes");
  const auto identity = [&](const char* name, std::uint64_t (&field)[6]) {
    arguments.bytes(arguments.field(params, name), name, std::as_writable_bytes(std::span(field)));
  };
  identity("mrConfigId", init.mrconfigid);
  identity("mrOwner", init.mrowner);
  identity("mrOwnerConfig", init.mrownerconfig);
}

}  // namespace

Napi::Value Vm::tdx_init_vm(const Napi::CallbackInfo& info) {
  Arguments arguments(info, tdx_command::kvm_tdx_init_vm.name);
  const Napi::Value params = info[0];
  arguments.object(params, "params");
  // More than any kernel takes, so that one can be asked whether it looks at their number.
  const std::vector<uapi::kvm_cpuid_entry2> entries = arguments.cpuid_entries(
      arguments.field(params, "cpuid"), "cpuid", 2 * uapi::kvm_max_cpuid_entries);
  CpuidBuffer<uapi::kvm_tdx_init_vm> buffer(static_cast<std::uint32_t>(entries.size()));
  std::ranges::copy(entries, buffer.entries().begin());

  uapi::kvm_tdx_init_vm& init = *buffer.get();
  read_init(arguments, params, init);
  init.xfam = arguments.uint64(arguments.field(params, "xfam"), "xfam");
  return call(
      arguments,
      [buffer = std::move(buffer)](const Kernel& kernel, int fd) {
        return as_done(
            kernel.tdx(fd, tdx_command::kvm_tdx_init_vm, 0, address_of(buffer.get())));
      },
      to_undefined);
}

Napi::Value Vm::tdx_init_vm_fixed(const Napi::CallbackInfo& info) {
  Arguments arguments(info, tdx_command::kvm_tdx_init_vm.name);
  const Napi::Value params = info[0];
  arguments.object(params, "params");
  auto init = std::make_unique<uapi::kvm_tdx_init_vm_fixed>();
  read_init(arguments, params, *init);
  init->max_vcpus = arguments.uint32(arguments.field(params, "maxVcpus"), "maxVcpus");
  const std::vector<uapi::kvm_cpuid_entry2> entries =
      arguments.cpuid_entries(arguments.field(params, "cpuid"), "cpuid");
  static_assert(std::size(uapi::kvm_tdx_init_vm_fixed{}.entries) >= uapi::kvm_max_cpuid_entries);
  init->cpuid.nent = static_cast<std::uint32_t>(entries.size());
  std::ranges::copy(entries, init->entries);
  return call(
      arguments,
      [init = std::move(init)](const Kernel& kernel, int fd) {
        return as_done(kernel.tdx(fd, tdx_command::kvm_tdx_init_vm, 0, address_of(init.get())));
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
