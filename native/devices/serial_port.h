// A 16550: registers of eight ports, a queue of input, one interrupt. Used under one lock.
// Source: National Semiconductor PC16550D, section 8 (registers).
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <span>

namespace tdctl {

class SerialPort {
 public:
  // `transmit` gets each byte sent, `interrupt` each change of the line.
  SerialPort(std::function<void(std::uint8_t)> transmit, std::function<void(bool)> interrupt)
      : transmit_(std::move(transmit)), interrupt_(std::move(interrupt)) {}

  std::uint8_t read(unsigned at);
  void write(unsigned at, std::uint8_t value);
  // How many were taken: a guest that does not read has them waiting, up to a bound.
  std::size_t receive(std::span<const std::byte> bytes);

 private:
  bool is_looped() const;
  bool has_data() const { return !(is_looped() ? looped_ : received_).empty(); }
  std::uint8_t take_data();
  std::uint8_t identify_interrupt();
  std::uint8_t modem_status() const;
  void send(std::uint8_t value);
  void update_interrupt();

  const std::function<void(std::uint8_t)> transmit_;
  const std::function<void(bool)> interrupt_;
  std::deque<std::uint8_t> received_;
  // In loop-back mode what is sent comes back here.
  std::deque<std::uint8_t> looped_;
  std::uint8_t divisor_low_ = 1;
  std::uint8_t divisor_high_ = 0;
  std::uint8_t interrupt_enable_ = 0;
  std::uint8_t line_control_ = 0;
  std::uint8_t modem_control_ = 0;
  std::uint8_t scratch_ = 0;
  bool has_fifo_ = false;
  // The transmitter is always empty; the interrupt that says so is pending after each byte.
  bool transmitter_pending_ = false;
  bool line_ = false;
};

}  // namespace tdctl
