// All that the kernel keeps of a VM but its memory and its vCPUs, out of one VM and into another.
//
// The order (arch/x86/kvm/i8254.c, i8259.c, ioapic.c, x86.c):
// - Getting: the timer before the interrupt controllers, so that a tick in between is in their state.
// - Setting: the controllers before the timer, which is started by that and may tick at once.
// - The clock last, both ways: it runs, and what comes between is time that the guest is behind.
#include "vm_state.h"

#include <array>
#include <utility>

#include "uapi/state.h"
#include "vm.h"

namespace tdctl {

namespace request = uapi::request;

namespace {

// A failure is told once: what comes after it is not asked.
class Asker {
 public:
  Asker(const Kernel& kernel, int fd) : kernel_(kernel), fd_(fd) {}
  void ask(const uapi::Request& asked, Bytes& bytes) {
    if (result_.ok()) result_ = as_done(kernel_.ioctl(fd_, asked, bytes.data()));
  }
  Result<Done>& result() { return result_; }

 private:
  const Kernel& kernel_;
  int fd_;
  Result<Done> result_ = Done{};
};

}  // namespace

Result<VmState> get_vm_state(const Kernel& kernel, int fd, const VmStateShape& shape) {
  VmState state;
  Asker asker(kernel, fd);
  if (shape.pit) {
    state.pit.resize(uapi::argument_bytes(request::kvm_get_pit2));
    asker.ask(request::kvm_get_pit2, state.pit);
  }
  for (std::uint32_t id = 0; shape.irqchip && id < chip_count; ++id) {
    uapi::kvm_irqchip chip{};
    chip.chip_id = id;
    const std::span<const std::byte> bytes = bytes_of(chip);
    asker.ask(request::kvm_get_irqchip, state.irqchips.emplace_back(bytes.begin(), bytes.end()));
  }
  if (shape.clock) {
    state.clock.resize(uapi::argument_bytes(request::kvm_get_clock));
    asker.ask(request::kvm_get_clock, state.clock);
  }
  if (!asker.result().ok()) return std::move(asker.result().failure());
  return state;
}

Result<Done> set_vm_state(const Kernel& kernel, int fd, VmState& state) {
  Asker asker(kernel, fd);
  for (Bytes& chip : state.irqchips) asker.ask(request::kvm_set_irqchip, chip);
  if (!state.pit.empty()) asker.ask(request::kvm_set_pit2, state.pit);
  if (!state.clock.empty()) asker.ask(request::kvm_set_clock, state.clock);
  return std::move(asker.result());
}

namespace {

Napi::Value to_js(Napi::Env env, const VmState& state) {
  Napi::Object object = Napi::Object::New(env);
  if (!state.irqchips.empty()) {
    Napi::Array chips = Napi::Array::New(env, state.irqchips.size());
    for (std::uint32_t at = 0; at < state.irqchips.size(); ++at) {
      const Napi::Value bytes = bytes_to_js(env, state.irqchips[at]);
      if (bytes.IsEmpty()) return {};
      chips.Set(at, bytes);
    }
    object.Set("irqchips", chips);
  }
  const std::pair<const char*, const Bytes*> parts[] = {{"pit", &state.pit},
                                                        {"clock", &state.clock}};
  for (const auto& [name, part] : parts) {
    if (part->empty()) continue;
    const Napi::Value bytes = bytes_to_js(env, *part);
    if (bytes.IsEmpty()) return {};
    object.Set(name, bytes);
  }
  return object;
}

Bytes read_bytes(Arguments& arguments, Napi::Value value, const std::string& name,
                 const uapi::Request& asked) {
  Bytes bytes(uapi::argument_bytes(asked));
  arguments.bytes(value, name, bytes);
  return bytes;
}

VmState read_state(Arguments& arguments, Napi::Value value) {
  VmState state;
  if (!arguments.object(value, "state")) return state;
  const Napi::Value chips = arguments.field(value, "irqchips");
  if (!chips.IsUndefined()) {
    const auto elements = arguments.array(chips, "irqchips", chip_count);
    for (std::uint32_t at = 0; elements && at < chip_count; ++at) {
      state.irqchips.push_back(read_bytes(
          arguments, arguments.field(*elements, std::to_string(at).c_str()),
          "irqchips[" + std::to_string(at) + "]", request::kvm_set_irqchip));
    }
  }
  const Napi::Value pit = arguments.field(value, "pit");
  if (!pit.IsUndefined()) state.pit = read_bytes(arguments, pit, "pit", request::kvm_set_pit2);
  const Napi::Value clock = arguments.field(value, "clock");
  if (!clock.IsUndefined()) {
    state.clock = read_bytes(arguments, clock, "clock", request::kvm_set_clock);
  }
  return state;
}

}  // namespace

Napi::Value Vm::get_state(const Napi::CallbackInfo& info) {
  Arguments arguments(info, nullptr);
  arguments.object(info[0], "shape");
  const auto has = [&](const char* name) {
    return arguments.boolean(arguments.field(info[0], name), name);
  };
  const VmStateShape shape{.irqchip = has("irqchip"), .pit = has("pit"), .clock = has("clock")};
  return call(
      arguments,
      [shape](const Kernel& kernel, int fd) { return get_vm_state(kernel, fd, shape); }, to_js);
}

Napi::Value Vm::set_state(const Napi::CallbackInfo& info) {
  Arguments arguments(info, nullptr);
  return call(
      arguments,
      [state = read_state(arguments, info[0])](const Kernel& kernel, int fd) mutable {
        return set_vm_state(kernel, fd, state);
      },
      to_undefined);
}

}  // namespace tdctl
