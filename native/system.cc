#include "system.h"

#include <fcntl.h>

#include <cerrno>
#include <string>
#include <utility>

#include "msrs.h"
#include "util/cpuid_buffer.h"
#include "util/cpuid_js.h"
#include "vcpu_state_js.h"
#include "vm.h"

namespace tdctl {

namespace request = uapi::request;

Napi::Function System::define(Napi::Env env) {
  return DefineClass(
      env, name,
      {
          StaticMethod<&System::open>("open"),
          fd_property(),
          InstanceMethod<&System::kvm_get_api_version>("kvmGetApiVersion"),
          InstanceMethod<&System::kvm_check_extension>("kvmCheckExtension"),
          InstanceMethod<&System::kvm_create_vm>("kvmCreateVm"),
          InstanceMethod<&System::kvm_get_vcpu_mmap_size>("kvmGetVcpuMmapSize"),
          InstanceMethod<&System::kvm_get_supported_cpuid>("kvmGetSupportedCpuid"),
          InstanceMethod<&System::kvm_get_msr_index_list>("kvmGetMsrIndexList"),
          close_method(),
      });
}

System::System(const Napi::CallbackInfo& info) : FdObject(info) {
  if (auto state = begin_construction<System>(info)) take_handle(std::move(state->handle));
}

Napi::Value System::open(const Napi::CallbackInfo& info) {
  Arguments arguments(info, nullptr);
  const std::string path = info[0].IsUndefined() ? "/dev/kvm" : arguments.string(info[0], "path");
  if (arguments.is_wrong()) return rejected(info.Env(), arguments.mistake());
  return run_off_thread(
      info.Env(),
      [path]() -> Result<UniqueFd> {
        const int fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
        if (fd < 0) return Failure{.syscall = "open", .subject = path, .error_number = errno};
        return UniqueFd(fd);
      },
      [](Napi::Env env, UniqueFd fd) {
        return make<System>(env, {std::make_shared<FdHandle>(std::move(fd), "system", nullptr)});
      });
}

Napi::Value System::kvm_get_api_version(const Napi::CallbackInfo& info) {
  Arguments arguments(info, request::kvm_get_api_version.name);
  return ask_number(arguments, request::kvm_get_api_version);
}

Napi::Value System::kvm_check_extension(const Napi::CallbackInfo& info) {
  Arguments arguments(info, request::kvm_check_extension.name);
  const std::uint32_t capability = arguments.uint32(info[0], "capability");
  return ask_number(arguments, request::kvm_check_extension, capability);
}

Napi::Value System::kvm_create_vm(const Napi::CallbackInfo& info) {
  Arguments arguments(info, request::kvm_create_vm.name);
  const std::uint32_t type = arguments.uint32(info[0], "type");
  return call(
      arguments,
      [type](const Kernel& kernel, int fd) {
        Result<UniqueFd> vm = as_fd(kernel.ioctl(fd, request::kvm_create_vm, type));
        // A signal that happens to be pending while the kernel registers its MMU notifier fails
        // the call; nothing was made, and asking again is all that every VMM does.
        while (!vm.ok() && vm.failure().error_number == EINTR) {
          vm = as_fd(kernel.ioctl(fd, request::kvm_create_vm, type));
        }
        return vm;
      },
      [](Napi::Env env, UniqueFd fd) {
        return make<Vm>(env, {std::make_shared<FdHandle>(std::move(fd), "VM",
                                                         std::make_shared<MemorySlots>())});
      });
}

Napi::Value System::kvm_get_vcpu_mmap_size(const Napi::CallbackInfo& info) {
  Arguments arguments(info, request::kvm_get_vcpu_mmap_size.name);
  return ask_number(arguments, request::kvm_get_vcpu_mmap_size);
}

Napi::Value System::kvm_get_supported_cpuid(const Napi::CallbackInfo& info) {
  Arguments arguments(info, request::kvm_get_supported_cpuid.name);
  return call(
      arguments,
      [](const Kernel& kernel, int fd) {
        return grow_cpuid<uapi::kvm_cpuid2>([&](uapi::kvm_cpuid2* cpuid) {
          return kernel.ioctl(fd, request::kvm_get_supported_cpuid, cpuid);
        });
      },
      [](Napi::Env env, CpuidBuffer<uapi::kvm_cpuid2> cpuid) -> Napi::Value {
        return cpuid_to_js(env, cpuid.entries());
      });
}

Napi::Value System::kvm_get_msr_index_list(const Napi::CallbackInfo& info) {
  Arguments arguments(info, request::kvm_get_msr_index_list.name);
  return call(arguments, get_msr_index_list, uint32s_to_js);
}

}  // namespace tdctl
