#include "vcpu_state_js.h"

#include <cstring>

namespace tdctl {

namespace request = uapi::request;

namespace {

struct Register {
  const char* name;
  std::uint64_t uapi::kvm_regs::*member;
};

constexpr Register registers[] = {
    {"rax", &uapi::kvm_regs::rax}, {"rbx", &uapi::kvm_regs::rbx}, {"rcx", &uapi::kvm_regs::rcx},
    {"rdx", &uapi::kvm_regs::rdx}, {"rsi", &uapi::kvm_regs::rsi}, {"rdi", &uapi::kvm_regs::rdi},
    {"rsp", &uapi::kvm_regs::rsp}, {"rbp", &uapi::kvm_regs::rbp}, {"r8", &uapi::kvm_regs::r8},
    {"r9", &uapi::kvm_regs::r9},   {"r10", &uapi::kvm_regs::r10}, {"r11", &uapi::kvm_regs::r11},
    {"r12", &uapi::kvm_regs::r12}, {"r13", &uapi::kvm_regs::r13}, {"r14", &uapi::kvm_regs::r14},
    {"r15", &uapi::kvm_regs::r15}, {"rip", &uapi::kvm_regs::rip},
    {"rflags", &uapi::kvm_regs::rflags},
};

// A part that is its bytes: as many as its request says, or at least so many.
struct Part {
  const char* name;
  Bytes VcpuState::*member;
  const uapi::Request& request;
  bool is_optional;
  bool may_be_longer;
};

constexpr Part parts[] = {
    {"vcpuEvents", &VcpuState::vcpu_events, request::kvm_set_vcpu_events, false, false},
    {"sregs", &VcpuState::sregs, request::kvm_set_sregs, true, false},
    {"sregs2", &VcpuState::sregs2, request::kvm_set_sregs2, true, false},
    {"xsave", &VcpuState::xsave, request::kvm_set_xsave, false, true},
    {"xcrs", &VcpuState::xcrs, request::kvm_set_xcrs, false, false},
    {"debugregs", &VcpuState::debugregs, request::kvm_set_debugregs, false, false},
    {"lapic", &VcpuState::lapic, request::kvm_set_lapic, true, false},
};

Bytes read_part(Arguments& arguments, Napi::Value value, const Part& part) {
  if (part.is_optional && value.IsUndefined()) return {};
  const std::size_t size_bytes = uapi::argument_bytes(part.request);
  const std::span<const std::byte> bytes = arguments.view(value, part.name);
  if (arguments.is_wrong()) return {};
  const std::size_t most = part.may_be_longer ? uapi::xsave_room_bytes : size_bytes;
  if (bytes.size() < size_bytes || bytes.size() > most) {
    const std::string range = most == size_bytes ? "" : " to " + std::to_string(most);
    arguments.range_mistake(std::string("`") + part.name + "` must have " +
                            std::to_string(size_bytes) + range + " bytes, not " +
                            std::to_string(bytes.size()));
    return {};
  }
  return {bytes.begin(), bytes.end()};
}

bool boolean(Arguments& arguments, Napi::Value object, const char* name) {
  return arguments.boolean(arguments.field(object, name), name);
}

}  // namespace

Napi::Value regs_to_js(Napi::Env env, const uapi::kvm_regs& regs) {
  Napi::Object object = Napi::Object::New(env);
  for (const auto& [name, member] : registers) {
    object.Set(name, Napi::BigInt::New(env, regs.*member));
  }
  return object;
}

uapi::kvm_regs read_regs(Arguments& arguments, Napi::Value value, const std::string& name) {
  uapi::kvm_regs regs{};
  arguments.object(value, name);
  for (const auto& [key, member] : registers) {
    regs.*member = arguments.uint64(arguments.field(value, key), key);
  }
  return regs;
}

VcpuStateShape read_state_shape(Arguments& arguments, Napi::Value value) {
  arguments.object(value, "shape");
  return {
      .msrs = arguments.uint32s(arguments.field(value, "msrs"), "msrs", most_msrs),
      .xsave_bytes = arguments.uint32(arguments.field(value, "xsaveBytes"), "xsaveBytes", 0,
                                      uapi::xsave_room_bytes),
      .sregs2 = boolean(arguments, value, "sregs2"),
      .lapic = boolean(arguments, value, "lapic"),
      .tsc_khz = boolean(arguments, value, "tscKhz"),
      .tsc_offset = boolean(arguments, value, "tscOffset"),
  };
}

Napi::Value state_to_js(Napi::Env env, const VcpuState& state) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("mpState", state.mp_state);
  object.Set("regs", regs_to_js(env, state.regs));
  for (const Part& part : parts) {
    const Bytes& bytes = state.*part.member;
    if (bytes.empty()) continue;
    const Napi::Value array = bytes_to_js(env, bytes);
    if (array.IsEmpty()) return {};
    object.Set(part.name, array);
  }
  const Napi::Value msrs = bytes_to_js(env, std::as_bytes(std::span(state.msrs)));
  if (msrs.IsEmpty()) return {};
  object.Set("msrs", msrs);
  object.Set("refusedMsrs", uint32s_to_js(env, state.refused_msrs));
  if (state.tsc_khz) object.Set("tscKhz", *state.tsc_khz);
  if (state.tsc_offset) object.Set("tscOffset", Napi::BigInt::New(env, *state.tsc_offset));
  return object;
}

VcpuState read_state(Arguments& arguments, Napi::Value value) {
  VcpuState state;
  if (!arguments.object(value, "state")) return state;
  state.mp_state = arguments.uint32(arguments.field(value, "mpState"), "mpState");
  state.regs = read_regs(arguments, arguments.field(value, "regs"), "regs");
  for (const Part& part : parts) {
    state.*part.member = read_part(arguments, arguments.field(value, part.name), part);
  }
  if (!arguments.is_wrong() && state.sregs.empty() == state.sregs2.empty()) {
    arguments.type_mistake("a state must have either `sregs` or `sregs2`");
  }
  const std::span<const std::byte> msrs = arguments.view(arguments.field(value, "msrs"), "msrs");
  if (!arguments.is_wrong() && (msrs.size() % sizeof(uapi::kvm_msr_entry) != 0 ||
                                msrs.size() > most_msrs * sizeof(uapi::kvm_msr_entry))) {
    arguments.range_mistake("`msrs` must have 16 bytes for each MSR, of at most " +
                            std::to_string(most_msrs));
  }
  if (!arguments.is_wrong() && !msrs.empty()) {
    state.msrs.resize(msrs.size() / sizeof(uapi::kvm_msr_entry));
    std::memcpy(state.msrs.data(), msrs.data(), msrs.size());
  }
  const Napi::Value tsc_khz = arguments.field(value, "tscKhz");
  if (!tsc_khz.IsUndefined()) state.tsc_khz = arguments.uint32(tsc_khz, "tscKhz");
  const Napi::Value tsc_offset = arguments.field(value, "tscOffset");
  if (!tsc_offset.IsUndefined()) state.tsc_offset = arguments.uint64(tsc_offset, "tscOffset");
  return state;
}

Napi::Value uint32s_to_js(Napi::Env env, const std::vector<std::uint32_t>& numbers) {
  Napi::Array array = Napi::Array::New(env, numbers.size());
  for (std::uint32_t at = 0; at < numbers.size(); ++at) array.Set(at, numbers[at]);
  return array;
}

}  // namespace tdctl
