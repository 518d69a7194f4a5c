#include "serial_port.h"

#include <algorithm>
#include <utility>

namespace tdctl {

namespace {

constexpr std::size_t most_waiting = 64 * 1024;
constexpr std::size_t loop_room = 16;

enum Register : unsigned { data, interrupt_enable, identification, line_control, modem_control,
                           line_status, modem_status_register, scratch };

constexpr std::uint8_t divisor_latch = 0x80;      // line control
constexpr std::uint8_t data_available = 0x01;     // interrupt enable
constexpr std::uint8_t transmitter_empty = 0x02;  // interrupt enable
constexpr std::uint8_t loop_back = 0x10;          // modem control
constexpr std::uint8_t fifo_enable = 0x01;        // FIFO control

constexpr std::uint8_t no_interrupt = 0x01;
constexpr std::uint8_t transmitter_interrupt = 0x02;
constexpr std::uint8_t data_interrupt = 0x04;
constexpr std::uint8_t fifos_enabled = 0xc0;

constexpr std::uint8_t data_ready = 0x01;         // line status
constexpr std::uint8_t holding_and_shift_empty = 0x60;
constexpr std::uint8_t ready_modem = 0xb0;        // carrier, data set ready, clear to send

}  // namespace

bool SerialPort::is_looped() const { return (modem_control_ & loop_back) != 0; }

std::uint8_t SerialPort::read(unsigned at) {
  const bool is_latched = (line_control_ & divisor_latch) != 0;
  switch (at) {
    case Register::data:
      return is_latched ? divisor_low_ : take_data();
    case Register::interrupt_enable:
      return is_latched ? divisor_high_ : interrupt_enable_;
    case Register::identification:
      return identify_interrupt();
    case Register::line_control:
      return line_control_;
    case Register::modem_control:
      return modem_control_;
    case Register::line_status:
      return holding_and_shift_empty | (has_data() ? data_ready : 0);
    case Register::modem_status_register:
      return modem_status();
    default:
      return scratch_;
  }
}

void SerialPort::write(unsigned at, std::uint8_t value) {
  const bool is_latched = (line_control_ & divisor_latch) != 0;
  switch (at) {
    case Register::data:
      if (is_latched) {
        divisor_low_ = value;
      } else {
        send(value);
      }
      break;
    case Register::interrupt_enable:
      if (is_latched) {
        divisor_high_ = value;
      } else {
        if ((value & ~interrupt_enable_ & transmitter_empty) != 0) transmitter_pending_ = true;
        interrupt_enable_ = value & 0x0f;
      }
      break;
    case Register::identification:
      // Clearing the receiver's FIFO drops nothing: what waits here is still on the wire.
      has_fifo_ = (value & fifo_enable) != 0;
      break;
    case Register::line_control:
      line_control_ = value;
      break;
    case Register::modem_control:
      modem_control_ = value & 0x1f;
      if (!is_looped()) looped_.clear();
      break;
    case Register::scratch:
      scratch_ = value;
      break;
    default:
      break;
  }
  update_interrupt();
}

std::size_t SerialPort::receive(std::span<const std::byte> bytes) {
  const std::size_t taken = std::min(bytes.size(), most_waiting - received_.size());
  for (const std::byte byte : bytes.first(taken)) {
    received_.push_back(std::to_integer<std::uint8_t>(byte));
  }
  update_interrupt();
  return taken;
}

std::uint8_t SerialPort::take_data() {
  std::deque<std::uint8_t>& queue = is_looped() ? looped_ : received_;
  if (queue.empty()) return 0;
  const std::uint8_t byte = queue.front();
  queue.pop_front();
  update_interrupt();
  return byte;
}

std::uint8_t SerialPort::identify_interrupt() {
  const std::uint8_t fifos = has_fifo_ ? fifos_enabled : 0;
  if ((interrupt_enable_ & data_available) != 0 && has_data()) return fifos | data_interrupt;
  if ((interrupt_enable_ & transmitter_empty) != 0 && transmitter_pending_) {
    // Being told of it is what ends it.
    transmitter_pending_ = false;
    update_interrupt();
    return fifos | transmitter_interrupt;
  }
  return fifos | no_interrupt;
}

// In loop-back mode the outputs of modem control are its inputs.
std::uint8_t SerialPort::modem_status() const {
  if (!is_looped()) return ready_modem;
  const auto from = [this](unsigned output, unsigned input) {
    return (modem_control_ >> output & 1u) << input;
  };
  return static_cast<std::uint8_t>(from(0, 5) | from(1, 4) | from(2, 6) | from(3, 7));
}

void SerialPort::send(std::uint8_t value) {
  transmitter_pending_ = true;
  if (!is_looped()) {
    transmit_(value);
  } else if (looped_.size() < loop_room) {
    looped_.push_back(value);
  }
}

void SerialPort::update_interrupt() {
  const bool line = ((interrupt_enable_ & data_available) != 0 && has_data()) ||
                    ((interrupt_enable_ & transmitter_empty) != 0 && transmitter_pending_);
  if (std::exchange(line_, line) != line) interrupt_(line);
}

}  // namespace tdctl
