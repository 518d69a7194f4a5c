#include "guest_state.h"

#include <cstring>
#include <type_traits>

namespace tdctl {

namespace request = uapi::request;

namespace {

class Packer {
 public:
  void value(const auto& value) {
    static_assert(std::is_trivially_copyable_v<std::remove_cvref_t<decltype(value)>>);
    const auto* at = reinterpret_cast<const std::byte*>(&value);
    bytes.insert(bytes.end(), at, at + sizeof value);
  }
  template <typename Element>
  void list(const std::vector<Element>& list) {
    value(static_cast<std::uint32_t>(list.size()));
    const std::span<const std::byte> all = std::as_bytes(std::span(list));
    bytes.insert(bytes.end(), all.begin(), all.end());
  }
  template <typename Value>
  void maybe(const std::optional<Value>& maybe) {
    value(static_cast<std::uint8_t>(maybe.has_value()));
    value(maybe.value_or(0));
  }

  Bytes bytes;
};

// Reads what a Packer has written. What is missing, or longer than it may be, is remembered: all is zero then.
class Unpacker {
 public:
  explicit Unpacker(std::span<const std::byte> bytes) : left_(bytes) {}

  template <typename Value>
  void value(Value& into) {
    static_assert(std::is_trivially_copyable_v<Value>);
    if (!has(sizeof into)) return;
    std::memcpy(&into, left_.data(), sizeof into);
    left_ = left_.subspan(sizeof into);
  }
  void flag(bool& into) {
    std::uint8_t read = 0;
    value(read);
    into = read != 0;
  }
  template <typename Element>
  void list(std::vector<Element>& into, std::size_t most) {
    std::uint32_t size = 0;
    value(size);
    expect(size <= most);
    if (is_wrong_ || !has(size * sizeof(Element))) return;
    into.resize(size);
    if (size > 0) std::memcpy(into.data(), left_.data(), size * sizeof(Element));
    left_ = left_.subspan(size * sizeof(Element));
  }
  // As many bytes as a request takes, or none where the part may be missing.
  void part(Bytes& into, const uapi::Request& asked, bool is_optional) {
    const std::size_t size = uapi::argument_bytes(asked);
    list(into, size);
    expect(into.size() == size || (is_optional && into.empty()));
  }
  template <typename Value>
  void maybe(std::optional<Value>& into) {
    bool has_value = false;
    Value read{};
    flag(has_value);
    value(read);
    if (has_value) into = read;
  }
  void expect(bool is_so) { is_wrong_ = is_wrong_ || !is_so; }
  bool is_whole() const { return !is_wrong_ && left_.empty(); }
  bool is_wrong() const { return is_wrong_; }

 private:
  bool has(std::size_t size) {
    expect(size <= left_.size());
    return !is_wrong_;
  }

  std::span<const std::byte> left_;
  bool is_wrong_ = false;
};

// As much as most states need: what is more is only slower.
constexpr std::size_t room_bytes = 4096;
constexpr std::size_t room_of_vcpu_bytes = 24 * 1024;

// Of the largest kernel configuration.
constexpr std::uint32_t most_vcpus = 4096;

void pack_vcpu(Packer& to, const VcpuState& state) {
  to.value(state.mp_state);
  to.value(state.regs);
  for (const Bytes* part : {&state.vcpu_events, &state.sregs, &state.sregs2, &state.xsave,
                            &state.xcrs, &state.debugregs, &state.lapic}) {
    to.list(*part);
  }
  to.list(state.msrs);
  to.maybe(state.tsc_khz);
  to.maybe(state.tsc_offset);
}

VcpuState unpack_vcpu(Unpacker& from) {
  VcpuState state;
  from.value(state.mp_state);
  from.value(state.regs);
  from.part(state.vcpu_events, request::kvm_set_vcpu_events, false);
  from.part(state.sregs, request::kvm_set_sregs, true);
  from.part(state.sregs2, request::kvm_set_sregs2, true);
  from.list(state.xsave, uapi::xsave_room_bytes);
  from.expect(state.xsave.size() >= uapi::argument_bytes(request::kvm_set_xsave));
  from.part(state.xcrs, request::kvm_set_xcrs, false);
  from.part(state.debugregs, request::kvm_set_debugregs, false);
  from.part(state.lapic, request::kvm_set_lapic, true);
  from.expect(state.sregs.empty() != state.sregs2.empty());
  from.list(state.msrs, most_msrs);
  from.maybe(state.tsc_khz);
  from.maybe(state.tsc_offset);
  return state;
}

void pack_devices(Packer& to, const DevicesState& devices) {
  const SerialState& com1 = devices.com1;
  to.value(com1.divisor);
  for (const std::uint8_t value :
       {com1.interrupt_enable, com1.line_control, com1.modem_control, com1.scratch,
        static_cast<std::uint8_t>(com1.has_fifos),
        static_cast<std::uint8_t>(com1.transmitter_pending), devices.reset_control}) {
    to.value(value);
  }
  to.list(com1.received);
  to.list(com1.looped);
}

DevicesState unpack_devices(Unpacker& from) {
  DevicesState devices;
  SerialState& com1 = devices.com1;
  from.value(com1.divisor);
  for (std::uint8_t* value :
       {&com1.interrupt_enable, &com1.line_control, &com1.modem_control, &com1.scratch}) {
    from.value(*value);
  }
  from.flag(com1.has_fifos);
  from.flag(com1.transmitter_pending);
  from.value(devices.reset_control);
  from.list(com1.received, most_received);
  from.list(com1.looped, most_looped);
  return devices;
}

}  // namespace

Bytes pack(const GuestState& state) {
  Packer to;
  to.bytes.reserve(room_bytes + state.vcpus.size() * room_of_vcpu_bytes);
  to.value(guest_state_layout);
  to.value(static_cast<std::uint32_t>(state.vm.irqchips.size()));
  for (const Bytes& chip : state.vm.irqchips) to.list(chip);
  to.list(state.vm.pit);
  to.list(state.vm.clock);
  pack_devices(to, state.devices);
  to.value(static_cast<std::uint32_t>(state.vcpus.size()));
  for (const VcpuState& vcpu : state.vcpus) pack_vcpu(to, vcpu);
  return std::move(to.bytes);
}

std::optional<GuestState> unpack(std::span<const std::byte> bytes) {
  GuestState state;
  Unpacker from(bytes);
  std::uint32_t number = 0;
  from.value(number);
  from.expect(number == guest_state_layout);
  from.value(number);
  from.expect(number == 0 || number == chip_count);
  for (std::uint32_t at = 0; at < number && !from.is_wrong(); ++at) {
    from.part(state.vm.irqchips.emplace_back(), request::kvm_set_irqchip, false);
  }
  from.part(state.vm.pit, request::kvm_set_pit2, true);
  from.part(state.vm.clock, request::kvm_set_clock, true);
  state.devices = unpack_devices(from);
  from.value(number);
  from.expect(number <= most_vcpus);
  for (std::uint32_t at = 0; at < number && !from.is_wrong(); ++at) {
    state.vcpus.push_back(unpack_vcpu(from));
  }
  if (!from.is_whole()) return std::nullopt;
  return state;
}

}  // namespace tdctl
