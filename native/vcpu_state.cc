// The order is the kernel's, because its ioctls have side effects on each other (arch/x86/kvm/x86.c,
// lapic.c; Documentation/virt/kvm/api.rst; the same order as QEMU's kvm_arch_get_registers and
// kvm_arch_put_registers).
//
// Getting:
// - KVM_GET_MP_STATE first: it takes a pending INIT or SIPI (kvm_apic_accept_events), which resets
//   registers.
// - KVM_GET_VCPU_EVENTS before sregs and debugregs: it delivers the payload of a pending exception, to CR2
//   or DR6.
// Setting:
// - CPUID before all (KVM_SET_CPUID2, the caller's): it bounds what XCR0, xsave and MSRs may hold.
// - The TSC's frequency before IA32_TSC and the offset: an offset is matched with that of the other vCPUs of the
//   same frequency (kvm_synchronize_tsc). One that the host cannot give is refused, before anything is set.
// - sregs before regs, xsave, lapic and MSRs: it has EFER and the APIC base, and the mode of the APIC
//   decides how the lapic's bytes are read. It also queues the interrupt of its bitmap, and so does
//   KVM_SET_REGS drop a pending exception: KVM_SET_VCPU_EVENTS comes after both.
// - lapic before MSRs: IA32_TSC_DEADLINE is dropped unless the timer is in deadline mode by then.
// - The TSC offset after MSRs, which have IA32_TSC: writing that one would make KVM guess whether vCPUs are
//   to be synchronised (kvm_synchronize_tsc), so it is left out where there is an offset.
// - KVM_SET_MP_STATE last: KVM_SET_SREGS makes a vCPU at the reset vector runnable.
#include "vcpu_state.h"

#include <utility>

#include "msrs.h"

namespace tdctl {

namespace request = uapi::request;

namespace {

class Getter {
 public:
  Getter(const Kernel& kernel, int fd) : kernel_(kernel), fd_(fd) {}

  void into(Bytes* bytes, const uapi::Request& asked, std::size_t size_bytes = 0) {
    if (failure) return;
    bytes->resize(size_bytes == 0 ? uapi::argument_bytes(asked) : size_bytes);
    note(kernel_.ioctl(fd_, asked, bytes->data()));
  }
  template <typename Struct>
  void into(Struct* object, const uapi::Request& asked) {
    if (!failure) note(kernel_.ioctl(fd_, asked, object));
  }
  // Takes the value of a result, where all went well so far.
  template <typename Value>
  void take(Value* value, Result<Value> result) {
    if (result.ok()) {
      *value = std::move(result.value());
    } else if (!failure) {
      failure = std::move(result.failure());
    }
  }

  std::optional<Failure> failure;

 private:
  void note(Result<int> answer) {
    if (!answer.ok()) failure = std::move(answer.failure());
  }

  const Kernel& kernel_;
  int fd_;
};

class Setter {
 public:
  Setter(const Kernel& kernel, int fd) : kernel_(kernel), fd_(fd) {}

  void from(Bytes& bytes, const uapi::Request& asked) {
    if (!failure && !bytes.empty()) note(as_done(kernel_.ioctl(fd_, asked, bytes.data())));
  }
  template <typename Struct>
  void from(Struct& object, const uapi::Request& asked) {
    if (!failure) note(as_done(kernel_.ioctl(fd_, asked, &object)));
  }
  void note(Result<Done> answer) {
    if (!answer.ok() && !failure) failure = std::move(answer.failure());
  }

  std::optional<Failure> failure;

 private:
  const Kernel& kernel_;
  int fd_;
};

Result<std::uint32_t> get_tsc_khz(const Kernel& kernel, int fd) {
  Result<int> answer = kernel.ioctl(fd, request::kvm_get_tsc_khz);
  if (!answer.ok()) return std::move(answer.failure());
  return static_cast<std::uint32_t>(answer.value());
}

uapi::kvm_device_attr tsc_offset_at(std::uint64_t* offset) {
  return {.flags = 0,
          .group = uapi::kvm_vcpu_tsc_ctrl,
          .attr = uapi::kvm_vcpu_tsc_offset,
          .addr = address_of(offset)};
}

}  // namespace

Result<std::uint64_t> get_tsc_offset(const Kernel& kernel, int fd) {
  std::uint64_t offset = 0;
  uapi::kvm_device_attr attribute = tsc_offset_at(&offset);
  Result<int> answer = kernel.ioctl(fd, request::kvm_get_device_attr, &attribute);
  if (!answer.ok()) return std::move(answer.failure());
  return offset;
}

Result<Done> set_tsc_offset(const Kernel& kernel, int fd, std::uint64_t offset) {
  uapi::kvm_device_attr attribute = tsc_offset_at(&offset);
  return as_done(kernel.ioctl(fd, request::kvm_set_device_attr, &attribute));
}

Result<VcpuState> get_vcpu_state(const Kernel& kernel, int fd, const VcpuStateShape& shape) {
  VcpuState state;
  Getter get(kernel, fd);
  uapi::kvm_mp_state mp_state{};
  get.into(&mp_state, request::kvm_get_mp_state);
  state.mp_state = mp_state.mp_state;
  get.into(&state.vcpu_events, request::kvm_get_vcpu_events);
  get.into(&state.regs, request::kvm_get_regs);
  if (shape.sregs2) {
    get.into(&state.sregs2, request::kvm_get_sregs2);
  } else {
    get.into(&state.sregs, request::kvm_get_sregs);
  }
  if (shape.xsave_bytes > 0) {
    get.into(&state.xsave, request::kvm_get_xsave2, uapi::xsave_room_bytes);
    state.xsave.resize(shape.xsave_bytes);
  } else {
    get.into(&state.xsave, request::kvm_get_xsave);
  }
  get.into(&state.xcrs, request::kvm_get_xcrs);
  get.into(&state.debugregs, request::kvm_get_debugregs);
  if (shape.lapic) get.into(&state.lapic, request::kvm_get_lapic);
  if (!get.failure) get.take(&state.msrs, get_msrs(kernel, fd, shape.msrs, &state.refused_msrs));
  if (!get.failure && shape.tsc_khz) {
    state.tsc_khz = 0;
    get.take(&*state.tsc_khz, get_tsc_khz(kernel, fd));
  }
  if (!get.failure && shape.tsc_offset) {
    state.tsc_offset = 0;
    get.take(&*state.tsc_offset, get_tsc_offset(kernel, fd));
  }
  if (get.failure) return std::move(*get.failure);
  return state;
}

Result<std::vector<std::uint32_t>> set_vcpu_state(const Kernel& kernel, int fd, VcpuState state) {
  std::vector<std::uint32_t> refused;
  Setter set(kernel, fd);
  if (state.tsc_khz) set.note(as_done(kernel.ioctl(fd, request::kvm_set_tsc_khz, *state.tsc_khz)));
  set.from(state.sregs2, request::kvm_set_sregs2);
  set.from(state.sregs, request::kvm_set_sregs);
  set.from(state.regs, request::kvm_set_regs);
  state.xsave.resize(uapi::xsave_room_bytes);
  set.from(state.xsave, request::kvm_set_xsave);
  set.from(state.xcrs, request::kvm_set_xcrs);
  set.from(state.debugregs, request::kvm_set_debugregs);
  set.from(state.lapic, request::kvm_set_lapic);
  if (state.tsc_offset) {
    std::erase_if(state.msrs, [](const auto& entry) { return entry.index == uapi::msr_ia32_tsc; });
  }
  if (!set.failure) set.note(set_msrs(kernel, fd, state.msrs, &refused));
  if (!set.failure && state.tsc_offset) set.note(set_tsc_offset(kernel, fd, *state.tsc_offset));
  set.from(state.vcpu_events, request::kvm_set_vcpu_events);
  uapi::kvm_mp_state mp_state{state.mp_state};
  set.from(mp_state, request::kvm_set_mp_state);
  if (set.failure) return std::move(*set.failure);
  return refused;
}

}  // namespace tdctl
