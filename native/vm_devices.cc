// What the kernel has of a VM's interrupt controllers, timer and clock.
#include <utility>

#include "uapi/state.h"
#include "util/bytes_js.h"
#include "vm.h"

namespace tdctl {

namespace request = uapi::request;

std::vector<Vm::PropertyDescriptor> Vm::device_methods() {
  return {
      InstanceMethod<&Vm::kvm_create_pit2>("kvmCreatePit2"),
      InstanceMethod<&Vm::get_part<request::kvm_get_pit2>>("kvmGetPit2"),
      InstanceMethod<&Vm::set_part<request::kvm_set_pit2>>("kvmSetPit2"),
      InstanceMethod<&Vm::get_part<request::kvm_get_clock>>("kvmGetClock"),
      InstanceMethod<&Vm::set_part<request::kvm_set_clock>>("kvmSetClock"),
      InstanceMethod<&Vm::kvm_get_irqchip>("kvmGetIrqchip"),
      InstanceMethod<&Vm::set_part<request::kvm_set_irqchip>>("kvmSetIrqchip"),
      InstanceMethod<&Vm::kvm_irq_line>("kvmIrqLine"),
      InstanceMethod<&Vm::kvm_signal_msi>("kvmSignalMsi"),
      InstanceMethod<&Vm::kvm_get_tsc_khz>("kvmGetTscKhz"),
  };
}

template <const uapi::Request& asked>
Napi::Value Vm::get_part(const Napi::CallbackInfo& info) {
  return get_struct_bytes(info, asked);
}

template <const uapi::Request& asked>
Napi::Value Vm::set_part(const Napi::CallbackInfo& info) {
  return set_struct_bytes(info, asked);
}

Napi::Value Vm::kvm_create_pit2(const Napi::CallbackInfo& info) {
  Arguments arguments(info, request::kvm_create_pit2.name);
  uapi::kvm_pit_config config{};
  config.flags = arguments.uint32_or(0, info[0], "flags");
  return tell_struct(arguments, request::kvm_create_pit2, config);
}

Napi::Value Vm::kvm_get_irqchip(const Napi::CallbackInfo& info) {
  Arguments arguments(info, request::kvm_get_irqchip.name);
  uapi::kvm_irqchip chip{};
  // KVM_IRQCHIP_PIC_MASTER, KVM_IRQCHIP_PIC_SLAVE, KVM_IRQCHIP_IOAPIC.
  chip.chip_id = arguments.uint32(info[0], "chip", 0, 2);
  const std::span<const std::byte> bytes = bytes_of(chip);
  return ask_bytes(arguments, request::kvm_get_irqchip, {bytes.begin(), bytes.end()});
}

Napi::Value Vm::kvm_irq_line(const Napi::CallbackInfo& info) {
  Arguments arguments(info, request::kvm_irq_line.name);
  const uapi::kvm_irq_level line{arguments.uint32(info[0], "irq"),
                                 arguments.uint32(info[1], "level", 0, 1)};
  return tell_struct(arguments, request::kvm_irq_line, line);
}

// The kernel answers how many vCPUs took it, and 0 where it was blocked: a guest that masks it has not asked.
Napi::Value Vm::kvm_signal_msi(const Napi::CallbackInfo& info) {
  Arguments arguments(info, request::kvm_signal_msi.name);
  arguments.object(info[0], "message");
  const std::uint64_t address = arguments.uint64(arguments.field(info[0], "address"), "address");
  uapi::kvm_msi msi{};
  msi.address_lo = static_cast<std::uint32_t>(address);
  msi.address_hi = static_cast<std::uint32_t>(address >> 32);
  msi.data = arguments.uint32(arguments.field(info[0], "data"), "data");
  return tell_struct(arguments, request::kvm_signal_msi, msi);
}

Napi::Value Vm::kvm_get_tsc_khz(const Napi::CallbackInfo& info) {
  Arguments arguments(info, request::kvm_get_tsc_khz.name);
  return ask_number(arguments, request::kvm_get_tsc_khz);
}

}  // namespace tdctl
