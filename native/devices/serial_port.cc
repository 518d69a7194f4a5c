#include "serial_port.h"

#include <algorithm>
#include <utility>

namespace tdctl {

namespace {

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

bool SerialPort::is_looped() const { return (registers_.modem_control & loop_back) != 0; }

std::uint8_t SerialPort::read(unsigned at) {
  const bool is_latched = (registers_.line_control & divisor_latch) != 0;
  switch (at) {
    case Register::data:
      return is_latched ? static_cast<std::uint8_t>(registers_.divisor) : take_data();
    case Register::interrupt_enable:
      return is_latched ? static_cast<std::uint8_t>(registers_.divisor >> 8)
                        : registers_.interrupt_enable;
    case Register::identification:
      return identify_interrupt();
    case Register::line_control:
      return registers_.line_control;
    case Register::modem_control:
      return registers_.modem_control;
    case Register::line_status:
      return holding_and_shift_empty | (has_data() ? data_ready : 0);
    case Register::modem_status_register:
      return modem_status();
    default:
      return registers_.scratch;
  }
}

void SerialPort::write(unsigned at, std::uint8_t value) {
  const bool is_latched = (registers_.line_control & divisor_latch) != 0;
  switch (at) {
    case Register::data:
      if (is_latched) {
        registers_.divisor = static_cast<std::uint16_t>((registers_.divisor & 0xff00) | value);
      } else {
        send(value);
      }
      break;
    case Register::interrupt_enable:
      if (is_latched) {
        registers_.divisor = static_cast<std::uint16_t>((registers_.divisor & 0x00ff) | value << 8);
      } else {
        if ((value & ~registers_.interrupt_enable & transmitter_empty) != 0) registers_.transmitter_pending = true;
        registers_.interrupt_enable = value & 0x0f;
      }
      break;
    case Register::identification:
      // Clearing the receiver's FIFO drops nothing: what waits here is still on the wire.
      registers_.has_fifos = (value & fifo_enable) != 0;
      break;
    case Register::line_control:
      registers_.line_control = value;
      break;
    case Register::modem_control:
      registers_.modem_control = value & 0x1f;
      if (!is_looped()) looped_.clear();
      break;
    case Register::scratch:
      registers_.scratch = value;
      break;
    default:
      break;
  }
  update_interrupt();
}

std::size_t SerialPort::receive(std::span<const std::byte> bytes) {
  const std::size_t taken = std::min(bytes.size(), most_received - received_.size());
  received_.insert(received_.end(), bytes.begin(), bytes.begin() + taken);
  update_interrupt();
  return taken;
}

std::uint8_t SerialPort::take_data() {
  std::deque<std::byte>& queue = is_looped() ? looped_ : received_;
  if (queue.empty()) return 0;
  const std::uint8_t byte = std::to_integer<std::uint8_t>(queue.front());
  queue.pop_front();
  update_interrupt();
  return byte;
}

std::uint8_t SerialPort::identify_interrupt() {
  const std::uint8_t fifos = registers_.has_fifos ? fifos_enabled : 0;
  if ((registers_.interrupt_enable & data_available) != 0 && has_data()) return fifos | data_interrupt;
  if ((registers_.interrupt_enable & transmitter_empty) != 0 && registers_.transmitter_pending) {
    // Being told of it is what ends it.
    registers_.transmitter_pending = false;
    update_interrupt();
    return fifos | transmitter_interrupt;
  }
  return fifos | no_interrupt;
}

// In loop-back mode the outputs of modem control are its inputs.
std::uint8_t SerialPort::modem_status() const {
  if (!is_looped()) return ready_modem;
  const auto from = [this](unsigned output, unsigned input) {
    return (registers_.modem_control >> output & 1u) << input;
  };
  return static_cast<std::uint8_t>(from(0, 5) | from(1, 4) | from(2, 6) | from(3, 7));
}

void SerialPort::send(std::uint8_t value) {
  registers_.transmitter_pending = true;
  if (!is_looped()) {
    transmit_(value);
  } else if (looped_.size() < most_looped) {
    looped_.push_back(std::byte{value});
  }
}

bool SerialPort::wanted_line() const {
  const std::uint8_t enabled = registers_.interrupt_enable;
  return ((enabled & data_available) != 0 && has_data()) ||
         ((enabled & transmitter_empty) != 0 && registers_.transmitter_pending);
}

void SerialPort::update_interrupt() {
  const bool line = wanted_line();
  if (std::exchange(line_, line) != line) interrupt_(line);
}

SerialState SerialPort::state() const {
  SerialState state = registers_;
  state.received.assign(received_.begin(), received_.end());
  state.looped.assign(looped_.begin(), looped_.end());
  return state;
}

void SerialPort::set_state(const SerialState& state) {
  registers_ = state;
  registers_.received.clear();
  registers_.looped.clear();
  received_.assign(state.received.begin(), state.received.end());
  looped_.assign(state.looped.begin(), state.looped.end());
  line_ = wanted_line();
}

}  // namespace tdctl
