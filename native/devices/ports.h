// The I/O ports of a guest: few devices, and everywhere else what is read where there is no device.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <span>

#include "console_buffer.h"
#include "serial_port.h"

namespace tdctl {

// A write that ends the guest.
struct PortEnd {
  enum class Kind : std::uint8_t { power_off, reset, debug_exit };
  Kind kind;
  std::uint32_t value = 0;
};

struct PortOptions {
  // Where isa-debug-exit is; none by default, because a guest that does not know it would end by chance.
  std::optional<std::uint16_t> debug_exit;
  std::size_t console_bound = 1 << 20;
};

// What a guest has set its devices to, and the input it has not read yet.
struct DevicesState {
  SerialState com1;
  std::uint8_t reset_control = 0;
};

class Ports {
 public:
  // `interrupt` sets the line of COM1, `written` is called for the first byte that waits in a buffer.
  Ports(const PortOptions& options, std::function<void(bool)> interrupt,
        std::function<void()> written);

  // One access of 1, 2 or 4 bytes, by any vCPU's thread.
  std::uint32_t read(std::uint16_t port, unsigned size);
  std::optional<PortEnd> write(std::uint16_t port, unsigned size, std::uint32_t value);

  // Input for COM1: how many bytes were taken.
  std::size_t receive(std::span<const std::byte> bytes);

  // While no vCPU runs. set_state() tells nobody of the line of COM1, whose level it gives.
  DevicesState state();
  bool set_state(const DevicesState& state);

  ConsoleBuffer& console() { return console_; }
  ConsoleBuffer& debug_console() { return debug_console_; }

 private:
  const std::optional<std::uint16_t> debug_exit_;
  const std::function<void()> written_;
  ConsoleBuffer console_;
  ConsoleBuffer debug_console_;
  std::mutex serial_mutex_;
  SerialPort serial_;
  std::atomic<std::uint8_t> reset_control_ = 0;
};

}  // namespace tdctl
