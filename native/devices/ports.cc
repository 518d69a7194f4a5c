#include "ports.h"

#include <utility>

namespace tdctl {

namespace {

constexpr std::uint16_t com1 = 0x3f8;
constexpr std::uint16_t com1_ports = 8;
// Where firmware for QEMU has its log, and what it reads there when it is (OVMF's QemuDebugLibIoPort).
constexpr std::uint16_t debug_console_port = 0x402;
constexpr std::uint8_t debug_console_magic = 0xe9;
// PM1a control of QEMU's q35 and of Cloud Hypervisor; SLP_EN goes to the state that SLP_TYP names, and
// here there is only S5 (ACPI 6.5, 4.8.3.2.1).
constexpr std::uint16_t power_control = 0x604;
constexpr std::uint32_t sleep_enable = 1u << 13;
constexpr std::uint16_t reset_control = 0xcf9;
constexpr std::uint32_t reset_cpu = 1u << 2;
// The keyboard controller's command port: 0xFE pulses the CPU's reset line.
constexpr std::uint16_t keyboard_command = 0x64;
constexpr std::uint8_t pulse_reset = 0xfe;

constexpr std::uint32_t all_ones(unsigned size) { return size >= 4 ? ~0u : (1u << 8 * size) - 1; }
constexpr bool is_com1(unsigned port) { return port >= com1 && port < com1 + com1_ports; }

}  // namespace

Ports::Ports(const PortOptions& options, std::function<void(bool)> interrupt,
             std::function<void()> written)
    : debug_exit_(options.debug_exit),
      written_(std::move(written)),
      console_(options.console_bound),
      debug_console_(options.console_bound),
      serial_(
          [this](std::uint8_t byte) {
            if (console_.put(byte)) written_();
          },
          std::move(interrupt)) {}

std::uint32_t Ports::read(std::uint16_t port, unsigned size) {
  if (port == debug_console_port && size == 1) return debug_console_magic;
  if (port == reset_control && size == 1) return reset_control_;
  if (port == power_control) return 0;
  if (!is_com1(port)) return all_ones(size);
  const std::lock_guard lock(serial_mutex_);
  std::uint32_t value = 0;
  for (unsigned at = 0; at < size; ++at) {
    const unsigned each = port + at;
    value |= std::uint32_t{is_com1(each) ? serial_.read(each - com1) : std::uint8_t{0xff}} << 8 * at;
  }
  return value;
}

std::optional<PortEnd> Ports::write(std::uint16_t port, unsigned size, std::uint32_t value) {
  if (is_com1(port)) {
    const std::lock_guard lock(serial_mutex_);
    for (unsigned at = 0; at < size && is_com1(port + at); ++at) {
      serial_.write(port + at - com1, static_cast<std::uint8_t>(value >> 8 * at));
    }
    return std::nullopt;
  }
  if (port == debug_exit_) return PortEnd{PortEnd::Kind::debug_exit, value};
  switch (port) {
    case debug_console_port:
      if (debug_console_.put(static_cast<std::uint8_t>(value))) written_();
      break;
    case power_control:
      if ((value & sleep_enable) != 0) return PortEnd{PortEnd::Kind::power_off};
      break;
    case reset_control:
      reset_control_ = static_cast<std::uint8_t>(value);
      if ((value & reset_cpu) != 0) return PortEnd{PortEnd::Kind::reset};
      break;
    case keyboard_command:
      if (size == 1 && value == pulse_reset) return PortEnd{PortEnd::Kind::reset};
      break;
    default:
      break;
  }
  return std::nullopt;
}

std::size_t Ports::receive(std::span<const std::byte> bytes) {
  const std::lock_guard lock(serial_mutex_);
  return serial_.receive(bytes);
}

DevicesState Ports::state() {
  const std::lock_guard lock(serial_mutex_);
  return {.com1 = serial_.state(), .reset_control = reset_control_};
}

bool Ports::set_state(const DevicesState& state) {
  const std::lock_guard lock(serial_mutex_);
  serial_.set_state(state.com1);
  reset_control_ = state.reset_control;
  return serial_.line();
}

}  // namespace tdctl
