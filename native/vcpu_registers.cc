// The ioctls that get and set one part of a vCPU's state each, and all of them in one trip.
#include <algorithm>
#include <utility>

#include "msrs.h"
#include "util/bytes_js.h"
#include "vcpu.h"
#include "vcpu_state_js.h"

namespace tdctl {

namespace request = uapi::request;

std::vector<Vcpu::PropertyDescriptor> Vcpu::register_methods() {
  return {
      InstanceMethod<&Vcpu::kvm_get_regs>("kvmGetRegs"),
      InstanceMethod<&Vcpu::kvm_set_regs>("kvmSetRegs"),
      InstanceMethod<&Vcpu::get_part<request::kvm_get_sregs>>("kvmGetSregs"),
      InstanceMethod<&Vcpu::set_part<request::kvm_set_sregs>>("kvmSetSregs"),
      InstanceMethod<&Vcpu::get_part<request::kvm_get_sregs2>>("kvmGetSregs2"),
      InstanceMethod<&Vcpu::set_part<request::kvm_set_sregs2>>("kvmSetSregs2"),
      InstanceMethod<&Vcpu::get_part<request::kvm_get_xcrs>>("kvmGetXcrs"),
      InstanceMethod<&Vcpu::set_part<request::kvm_set_xcrs>>("kvmSetXcrs"),
      InstanceMethod<&Vcpu::get_part<request::kvm_get_vcpu_events>>("kvmGetVcpuEvents"),
      InstanceMethod<&Vcpu::set_part<request::kvm_set_vcpu_events>>("kvmSetVcpuEvents"),
      InstanceMethod<&Vcpu::get_part<request::kvm_get_debugregs>>("kvmGetDebugregs"),
      InstanceMethod<&Vcpu::set_part<request::kvm_set_debugregs>>("kvmSetDebugregs"),
      InstanceMethod<&Vcpu::get_part<request::kvm_get_lapic>>("kvmGetLapic"),
      InstanceMethod<&Vcpu::set_part<request::kvm_set_lapic>>("kvmSetLapic"),
      InstanceMethod<&Vcpu::get_part<request::kvm_get_xsave>>("kvmGetXsave"),
      InstanceMethod<&Vcpu::kvm_get_xsave2>("kvmGetXsave2"),
      InstanceMethod<&Vcpu::kvm_set_xsave>("kvmSetXsave"),
      InstanceMethod<&Vcpu::kvm_get_mp_state>("kvmGetMpState"),
      InstanceMethod<&Vcpu::kvm_set_mp_state>("kvmSetMpState"),
      InstanceMethod<&Vcpu::kvm_get_msrs>("kvmGetMsrs"),
      InstanceMethod<&Vcpu::kvm_set_msrs>("kvmSetMsrs"),
      InstanceMethod<&Vcpu::kvm_get_tsc_khz>("kvmGetTscKhz"),
      InstanceMethod<&Vcpu::kvm_get_tsc_offset>("kvmGetTscOffset"),
      InstanceMethod<&Vcpu::kvm_set_tsc_offset>("kvmSetTscOffset"),
      InstanceMethod<&Vcpu::get_state>("getState"),
      InstanceMethod<&Vcpu::set_state>("setState"),
  };
}

template <const uapi::Request& asked>
Napi::Value Vcpu::get_part(const Napi::CallbackInfo& info) {
  return get_struct_bytes(info, asked);
}

template <const uapi::Request& asked>
Napi::Value Vcpu::set_part(const Napi::CallbackInfo& info) {
  return set_struct_bytes(info, asked);
}

Napi::Value Vcpu::kvm_get_regs(const Napi::CallbackInfo& info) {
  Arguments arguments(info, request::kvm_get_regs.name);
  return call(
      arguments,
      [](const Kernel& kernel, int fd) -> Result<uapi::kvm_regs> {
        uapi::kvm_regs regs{};
        Result<int> answer = kernel.ioctl(fd, request::kvm_get_regs, &regs);
        if (!answer.ok()) return std::move(answer.failure());
        return regs;
      },
      regs_to_js);
}

Napi::Value Vcpu::kvm_set_regs(const Napi::CallbackInfo& info) {
  Arguments arguments(info, request::kvm_set_regs.name);
  const uapi::kvm_regs regs = read_regs(arguments, info[0], "regs");
  return tell_struct(arguments, request::kvm_set_regs, regs);
}

Napi::Value Vcpu::kvm_get_xsave2(const Napi::CallbackInfo& info) {
  Arguments arguments(info, request::kvm_get_xsave2.name);
  const std::uint32_t size_bytes = arguments.uint32(
      info[0], "sizeBytes", sizeof(uapi::kvm_xsave), uapi::xsave_room_bytes);
  return call(
      arguments,
      [size_bytes](const Kernel& kernel, int fd) -> Result<Bytes> {
        Bytes bytes(uapi::xsave_room_bytes);
        Result<int> answer = kernel.ioctl(fd, request::kvm_get_xsave2, bytes.data());
        if (!answer.ok()) return std::move(answer.failure());
        bytes.resize(size_bytes);
        return bytes;
      },
      bytes_to_js);
}

// The kernel reads as much as the VM's vCPUs have, which may be more than the number says.
Napi::Value Vcpu::kvm_set_xsave(const Napi::CallbackInfo& info) {
  Arguments arguments(info, request::kvm_set_xsave.name);
  const std::span<const std::byte> bytes = arguments.view(info[0], "bytes");
  if (!arguments.is_wrong() &&
      (bytes.size() < sizeof(uapi::kvm_xsave) || bytes.size() > uapi::xsave_room_bytes)) {
    arguments.range_mistake("`bytes` must have 4096 to 32768 bytes, not " +
                            std::to_string(bytes.size()));
  }
  if (arguments.is_wrong()) return rejected(info.Env(), arguments.mistake());
  Bytes copy(bytes.begin(), bytes.end());
  copy.resize(uapi::xsave_room_bytes);
  return tell_bytes(arguments, request::kvm_set_xsave, std::move(copy));
}

Napi::Value Vcpu::kvm_get_mp_state(const Napi::CallbackInfo& info) {
  Arguments arguments(info, request::kvm_get_mp_state.name);
  return call(
      arguments,
      [](const Kernel& kernel, int fd) -> Result<std::uint32_t> {
        uapi::kvm_mp_state state{};
        Result<int> answer = kernel.ioctl(fd, request::kvm_get_mp_state, &state);
        if (!answer.ok()) return std::move(answer.failure());
        return state.mp_state;
      },
      [](Napi::Env env, std::uint32_t state) -> Napi::Value {
        return Napi::Number::New(env, state);
      });
}

Napi::Value Vcpu::kvm_set_mp_state(const Napi::CallbackInfo& info) {
  Arguments arguments(info, request::kvm_set_mp_state.name);
  const uapi::kvm_mp_state state{arguments.uint32(info[0], "mpState")};
  return tell_struct(arguments, request::kvm_set_mp_state, state);
}

Napi::Value Vcpu::kvm_get_msrs(const Napi::CallbackInfo& info) {
  Arguments arguments(info, request::kvm_get_msrs.name);
  std::vector<std::uint32_t> indices = arguments.uint32s(info[0], "indices", most_msrs);
  return call(
      arguments,
      [indices = std::move(indices)](const Kernel& kernel, int fd) {
        std::vector<std::uint32_t> refused;
        return get_msrs(kernel, fd, indices, &refused);
      },
      [](Napi::Env env, const std::vector<uapi::kvm_msr_entry>& entries) -> Napi::Value {
        Napi::Array array = Napi::Array::New(env, entries.size());
        for (std::uint32_t at = 0; at < entries.size(); ++at) {
          Napi::Object entry = Napi::Object::New(env);
          entry.Set("index", entries[at].index);
          entry.Set("data", Napi::BigInt::New(env, entries[at].data));
          array.Set(at, entry);
        }
        return array;
      });
}

Napi::Value Vcpu::kvm_set_msrs(const Napi::CallbackInfo& info) {
  Arguments arguments(info, request::kvm_set_msrs.name);
  std::vector<uapi::kvm_msr_entry> entries;
  if (const auto elements = arguments.array(info[0], "entries", most_msrs)) {
    for (std::uint32_t at = 0; at < elements->Length() && !arguments.is_wrong(); ++at) {
      const Napi::Value entry = arguments.field(*elements, std::to_string(at).c_str());
      arguments.object(entry, "entries[" + std::to_string(at) + "]");
      entries.push_back({arguments.uint32(arguments.field(entry, "index"), "index"), 0,
                         arguments.uint64(arguments.field(entry, "data"), "data")});
    }
  }
  return call(
      arguments,
      [entries = std::move(entries)](const Kernel& kernel,
                                     int fd) -> Result<std::vector<std::uint32_t>> {
        std::vector<std::uint32_t> refused;
        Result<Done> answer = set_msrs(kernel, fd, entries, &refused);
        if (!answer.ok()) return std::move(answer.failure());
        return refused;
      },
      uint32s_to_js);
}

Napi::Value Vcpu::kvm_get_tsc_khz(const Napi::CallbackInfo& info) {
  Arguments arguments(info, request::kvm_get_tsc_khz.name);
  return ask_number(arguments, request::kvm_get_tsc_khz);
}

Napi::Value Vcpu::kvm_get_tsc_offset(const Napi::CallbackInfo& info) {
  Arguments arguments(info, request::kvm_get_device_attr.name);
  return call(arguments, get_tsc_offset, [](Napi::Env env, std::uint64_t offset) -> Napi::Value {
    return Napi::BigInt::New(env, offset);
  });
}

Napi::Value Vcpu::kvm_set_tsc_offset(const Napi::CallbackInfo& info) {
  Arguments arguments(info, request::kvm_set_device_attr.name);
  const std::uint64_t offset = arguments.uint64(info[0], "offset");
  return call(
      arguments,
      [offset](const Kernel& kernel, int fd) { return set_tsc_offset(kernel, fd, offset); },
      to_undefined);
}

Napi::Value Vcpu::get_state(const Napi::CallbackInfo& info) {
  Arguments arguments(info, nullptr);
  return call(
      arguments,
      [shape = read_state_shape(arguments, info[0])](const Kernel& kernel, int fd) {
        return get_vcpu_state(kernel, fd, shape);
      },
      state_to_js);
}

Napi::Value Vcpu::set_state(const Napi::CallbackInfo& info) {
  Arguments arguments(info, nullptr);
  return call(
      arguments,
      [state = read_state(arguments, info[0])](const Kernel& kernel, int fd) mutable {
        return set_vcpu_state(kernel, fd, std::move(state));
      },
      uint32s_to_js);
}

}  // namespace tdctl
