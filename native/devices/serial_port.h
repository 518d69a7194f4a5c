// A 16550: registers of eight ports, a queue of input, one interrupt. Used under one lock.
// Source: National Semiconductor PC16550D, section 8 (registers).
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <span>
#include <vector>

namespace tdctl {

// How much input waits for a guest that does not read, and what fits into the port in loop-back mode.
inline constexpr std::size_t most_received = 64 * 1024;
inline constexpr std::size_t most_looped = 16;

// All that a port is, but for what it sends. Registers have their values as a guest would read them.
struct SerialState {
  std::uint16_t divisor = 1;
  std::uint8_t interrupt_enable = 0;
  std::uint8_t line_control = 0;
  std::uint8_t modem_control = 0;
  std::uint8_t scratch = 0;
  bool has_fifos = false;
  // The transmitter is always empty; the interrupt that says so is pending after each byte.
  bool transmitter_pending = false;
  std::vector<std::byte> received;
  // In loop-back mode what is sent comes back here.
  std::vector<std::byte> looped;
};

class SerialPort {
 public:
  // `transmit` gets each byte sent, `interrupt` each change of the line.
  SerialPort(std::function<void(std::uint8_t)> transmit, std::function<void(bool)> interrupt)
      : transmit_(std::move(transmit)), interrupt_(std::move(interrupt)) {}

  std::uint8_t read(unsigned at);
  void write(unsigned at, std::uint8_t value);
  // How many were taken: a guest that does not read has them waiting, up to a bound.
  std::size_t receive(std::span<const std::byte> bytes);

  SerialState state() const;
  // Tells nobody of the line, which the taker's interrupt controller may have as it is; see line().
  void set_state(const SerialState& state);
  bool line() const { return line_; }

 private:
  bool is_looped() const;
  bool has_data() const { return !(is_looped() ? looped_ : received_).empty(); }
  bool wanted_line() const;
  std::uint8_t take_data();
  std::uint8_t identify_interrupt();
  std::uint8_t modem_status() const;
  void send(std::uint8_t value);
  void update_interrupt();

  const std::function<void(std::uint8_t)> transmit_;
  const std::function<void(bool)> interrupt_;
  // But for its two queues, which are below.
  SerialState registers_;
  std::deque<std::byte> received_;
  std::deque<std::byte> looped_;
  bool line_ = false;
};

}  // namespace tdctl
