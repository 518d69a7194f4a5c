#include "vm.h"

#include <string>
#include <utility>
#include <vector>

#include "vcpu.h"

namespace tdctl {

namespace request = uapi::request;

Napi::Function Vm::define(Napi::Env env) {
  std::vector<PropertyDescriptor> members = {
      fd_property(),
      InstanceMethod<&Vm::kvm_check_extension>("kvmCheckExtension"),
      InstanceMethod<&Vm::kvm_enable_cap>("kvmEnableCap"),
      InstanceMethod<&Vm::kvm_move_enc_context_from>("kvmMoveEncContextFrom"),
      InstanceMethod<&Vm::kvm_create_irqchip>("kvmCreateIrqchip"),
      InstanceMethod<&Vm::kvm_create_vcpu>("kvmCreateVcpu"),
      InstanceMethod<&Vm::kvm_create_vcpus>("kvmCreateVcpus"),
      InstanceMethod<&Vm::kvm_set_tsc_khz>("kvmSetTscKhz"),
      InstanceMethod<&Vm::get_state>("getState"),
      InstanceMethod<&Vm::set_state>("setState"),
      InstanceMethod<&Vm::kvm_set_user_memory_region>("kvmSetUserMemoryRegion"),
      InstanceMethod<&Vm::kvm_set_user_memory_region2>("kvmSetUserMemoryRegion2"),
      InstanceMethod<&Vm::kvm_create_guest_memfd>("kvmCreateGuestMemfd"),
      InstanceMethod<&Vm::kvm_link_guest_memfd>("kvmLinkGuestMemfd"),
      InstanceMethod<&Vm::kvm_set_memory_attributes>("kvmSetMemoryAttributes"),
      InstanceMethod<&Vm::tdx_capabilities>("tdxCapabilities"),
      InstanceMethod<&Vm::tdx_init_vm>("tdxInitVm"),
      InstanceMethod<&Vm::tdx_init_vm_fixed>("tdxInitVmFixed"),
      InstanceMethod<&Vm::tdx_finalize_vm>("tdxFinalizeVm"),
      InstanceMethod<&Vm::tdx_terminate_vm>("tdxTerminateVm"),
      close_method(),
  };
  for (const PropertyDescriptor& method : device_methods()) members.push_back(method);
  return DefineClass(env, name, members);
}

Vm::Vm(const Napi::CallbackInfo& info) : FdObject(info) {
  if (auto state = begin_construction<Vm>(info)) take_handle(std::move(state->handle));
}

Napi::Value Vm::kvm_check_extension(const Napi::CallbackInfo& info) {
  Arguments arguments(info, request::kvm_check_extension.name);
  const std::uint32_t capability = arguments.uint32(info[0], "capability");
  return ask_number(arguments, request::kvm_check_extension, capability);
}

Napi::Value Vm::kvm_enable_cap(const Napi::CallbackInfo& info) {
  Arguments arguments(info, request::kvm_enable_cap.name);
  const Napi::Value cap = info[0];
  arguments.object(cap, "cap");
  uapi::kvm_enable_cap argument{};
  argument.cap = arguments.uint32(arguments.field(cap, "capability"), "capability");
  argument.flags = arguments.uint32_or(0, arguments.field(cap, "flags"), "flags");
  const Napi::Value args = arguments.field(cap, "args");
  if (!args.IsUndefined()) {
    arguments.uint64s(args, "args", argument.args);
  }
  return tell_struct(arguments, request::kvm_enable_cap, argument);
}

Napi::Value Vm::kvm_move_enc_context_from(const Napi::CallbackInfo& info) {
  Arguments arguments(info, request::kvm_enable_cap.name);
  return call(
      arguments,
      [source = arguments.vm(info[0], "source")](const Kernel& kernel, int fd) {
        uapi::kvm_enable_cap argument{};
        argument.cap = uapi::kvm_cap_vm_move_enc_context_from;
        // The kernel looks the number up while the call runs: it must be the source's until then.
        argument.args[0] = static_cast<std::uint64_t>(source->fd());
        return as_done(kernel.ioctl(fd, request::kvm_enable_cap, &argument));
      },
      to_undefined);
}

Napi::Value Vm::kvm_create_irqchip(const Napi::CallbackInfo& info) {
  Arguments arguments(info, request::kvm_create_irqchip.name);
  return tell(arguments, request::kvm_create_irqchip);
}

namespace {

Napi::Value make_vcpu(Napi::Env env, UniqueFd fd, std::uint32_t id,
                      const std::shared_ptr<MemorySlots>& slots) {
  return make<Vcpu>(env, {std::make_shared<FdHandle>(std::move(fd), "vCPU", slots), id});
}

}  // namespace

Napi::Value Vm::kvm_create_vcpu(const Napi::CallbackInfo& info) {
  Arguments arguments(info, request::kvm_create_vcpu.name);
  const std::uint32_t id = arguments.uint32(info[0], "id");
  return call(
      arguments,
      [id](const Kernel& kernel, int fd) {
        return as_fd(kernel.ioctl(fd, request::kvm_create_vcpu, id));
      },
      [id, slots = handle()->slots()](Napi::Env env, UniqueFd fd) {
        return make_vcpu(env, std::move(fd), id, slots);
      });
}

Napi::Value Vm::kvm_create_vcpus(const Napi::CallbackInfo& info) {
  Arguments arguments(info, request::kvm_create_vcpu.name);
  // KVM_MAX_VCPU_IDS of the largest kernel configuration: no more can succeed.
  constexpr std::uint32_t most = 4 * 4096;
  const std::vector<std::uint32_t> ids = arguments.uint32s(info[0], "ids", most);
  return call(
      arguments,
      [ids](const Kernel& kernel, int fd) -> Result<std::vector<UniqueFd>> {
        std::vector<UniqueFd> fds;
        fds.reserve(ids.size());
        for (const std::uint32_t id : ids) {
          Result<UniqueFd> vcpu = as_fd(kernel.ioctl(fd, request::kvm_create_vcpu, id));
          if (!vcpu.ok()) {
            vcpu.failure().detail = Detail{"id", static_cast<double>(id)};
            return std::move(vcpu.failure());
          }
          fds.push_back(std::move(vcpu.value()));
        }
        return fds;
      },
      [ids, slots = handle()->slots()](Napi::Env env, std::vector<UniqueFd> fds) -> Napi::Value {
        Napi::Array vcpus = Napi::Array::New(env, fds.size());
        for (std::uint32_t index = 0; index < fds.size(); ++index) {
          const Napi::HandleScope scope(env);
          const Napi::Value vcpu = make_vcpu(env, std::move(fds[index]), ids[index], slots);
          if (vcpu.IsEmpty()) return {};
          vcpus.Set(index, vcpu);
        }
        return vcpus;
      });
}

Napi::Value Vm::kvm_set_tsc_khz(const Napi::CallbackInfo& info) {
  Arguments arguments(info, request::kvm_set_tsc_khz.name);
  const std::uint32_t tsc_khz = arguments.uint32(info[0], "tscKhz");
  return tell(arguments, request::kvm_set_tsc_khz, tsc_khz);
}

}  // namespace tdctl
