// A guest that is to stand still for as short as can be: what JS does here takes no turn of the event loop.
#include <cerrno>
#include <utility>

#include "guest.h"
#include "guest_state.h"
#include "util/arguments.h"
#include "util/bytes_js.h"
#include "util/js_error.h"

namespace tdctl {

namespace {

// What is waited for holds up the whole process.
constexpr std::uint32_t most_wait_ms = 1000;

Result<GuestState> read(const Kernel& kernel, const GuestParts& parts,
                        const VcpuStateShape& shape) {
  GuestState state;
  // The VM's is the last use.
  Result<VmState> vm = get_vm_state(kernel, parts.uses.back().fd(),
                                    {.irqchip = true, .pit = true, .clock = true});
  if (!vm.ok()) return std::move(vm.failure());
  state.vm = std::move(vm.value());
  for (std::size_t at = 0; at < parts.handles.size(); ++at) {
    Result<VcpuState> vcpu = get_vcpu_state(kernel, parts.uses[at].fd(), shape);
    if (!vcpu.ok()) return std::move(vcpu.failure());
    state.vcpus.push_back(std::move(vcpu.value()));
  }
  state.devices = parts.vcpus->devices();
  return state;
}

Result<Done> write(const Kernel& kernel, const GuestParts& parts, GuestState& state) {
  // The controllers before the vCPUs, whose interrupts come through them; COM1 last, which sets its line.
  Result<Done> vm = set_vm_state(kernel, parts.uses.back().fd(), state.vm);
  if (!vm.ok()) return vm;
  for (std::size_t at = 0; at < parts.handles.size(); ++at) {
    Result<std::vector<std::uint32_t>> vcpu =
        set_vcpu_state(kernel, parts.uses[at].fd(), std::move(state.vcpus[at]));
    if (!vcpu.ok()) return std::move(vcpu.failure());
  }
  parts.vcpus->set_devices(state.devices);
  return Done{};
}

}  // namespace

Napi::Value Guest::awaited(const Napi::CallbackInfo& info, Wait wait) {
  Arguments arguments(info, nullptr);
  const std::uint32_t ms = arguments.uint32(info[0], "withinMs", 0, most_wait_ms);
  if (arguments.is_wrong()) return thrown(arguments.mistake());
  return Napi::Boolean::New(info.Env(), !stopped_ && ((*parts_->vcpus).*wait)(ms));
}

Napi::Value Guest::await_parked(const Napi::CallbackInfo& info) {
  return awaited(info, &GuestVcpus::wait_for_rest);
}

Napi::Value Guest::await_called(const Napi::CallbackInfo& info) {
  return awaited(info, &GuestVcpus::wait_for_calls);
}

Napi::Value Guest::tell_now(const Napi::CallbackInfo& info) {
  serve(info.Env());
  return info.Env().Undefined();
}

// The memory that get_packed() takes is new to the process the first time, and each page of it costs a fault.
Napi::Value Guest::prepare_packed(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  GuestState state;
  for (std::uint32_t id = 0; id < chip_count; ++id) {
    state.vm.irqchips.emplace_back(uapi::argument_bytes(uapi::request::kvm_get_irqchip));
  }
  for (std::size_t at = 0; at < parts_->handles.size(); ++at) {
    VcpuState& vcpu = state.vcpus.emplace_back();
    vcpu.xsave.resize(uapi::xsave_room_bytes);
    vcpu.lapic.resize(uapi::argument_bytes(uapi::request::kvm_get_lapic));
    vcpu.sregs.resize(uapi::argument_bytes(uapi::request::kvm_get_sregs));
  }
  bytes_to_js(env, pack(state));
  return env.Undefined();
}

Napi::Value Guest::get_packed(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!parts_->state_shape) {
    return thrown(js_error(env, refused(EINVAL, "the guest was made without `stateShape`")));
  }
  if (stopped_) return thrown(js_error(env, refused(EBADF, guest_is_stopped)));
  // They may be parked without having been told so.
  if (!parts_->vcpus->are_parked()) {
    return thrown(js_error(env, refused(EBUSY, guest_runs)));
  }
  Result<GuestState> state = read(Environment::of(env).kernel, *parts_, *parts_->state_shape);
  if (!state.ok()) return thrown(js_error(env, state.failure()));
  return bytes_to_js(env, pack(state.value()));
}

Napi::Value Guest::set_packed(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!expect_parked(env)) return {};
  Arguments arguments(info, nullptr);
  std::optional<GuestState> state = unpack(arguments.view(info[0], "state"));
  if (!arguments.is_wrong() && (!state || state->vcpus.size() != parts_->handles.size())) {
    arguments.range_mistake("`state` is of no guest that is made as this one");
  }
  if (arguments.is_wrong()) return thrown(arguments.mistake());
  // So that run() sees that each may be another.
  for (std::uint64_t& made : calls_made_) made = UINT64_MAX;
  Result<Done> written = write(Environment::of(env).kernel, *parts_, *state);
  if (!written.ok()) return thrown(js_error(env, written.failure()));
  return env.Undefined();
}

}  // namespace tdctl
