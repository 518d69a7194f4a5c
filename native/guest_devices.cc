// The state of a guest's devices, as JS has it: GuestDevices of guest.ts.
#include <cerrno>

#include "guest.h"
#include "util/arguments.h"
#include "util/bytes_js.h"

namespace tdctl {

namespace {

// What a later layout would raise.
constexpr std::uint32_t layout_version = 1;

struct Register {
  const char* name;
  std::uint8_t SerialState::*member;
  std::uint32_t most;
};

// The bits that a 16550 has of each.
constexpr Register registers[] = {
    {"interruptEnable", &SerialState::interrupt_enable, 0x0f},
    {"lineControl", &SerialState::line_control, 0xff},
    {"modemControl", &SerialState::modem_control, 0x1f},
    {"scratch", &SerialState::scratch, 0xff},
};

struct Flag {
  const char* name;
  bool SerialState::*member;
};

constexpr Flag flags[] = {
    {"fifosEnabled", &SerialState::has_fifos},
    {"transmitterPending", &SerialState::transmitter_pending},
};

struct Queue {
  const char* name;
  Bytes SerialState::*member;
  std::size_t most;
};

constexpr Queue queues[] = {
    {"received", &SerialState::received, most_received},
    {"looped", &SerialState::looped, most_looped},
};

constexpr std::uint32_t most_of_byte = 0xff;
constexpr std::uint32_t most_of_divisor = 0xffff;

Napi::Value serial_to_js(Napi::Env env, const SerialState& state) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("divisor", std::uint32_t{state.divisor});
  for (const auto& [name, member, most] : registers) object.Set(name, std::uint32_t{state.*member});
  for (const auto& [name, member] : flags) object.Set(name, Napi::Boolean::New(env, state.*member));
  for (const auto& [name, member, most] : queues) {
    const Napi::Value bytes = bytes_to_js(env, state.*member);
    if (bytes.IsEmpty()) return {};
    object.Set(name, bytes);
  }
  return object;
}

SerialState read_serial(Arguments& arguments, Napi::Value value) {
  SerialState state;
  arguments.object(value, "com1");
  const auto number = [&](const char* name, std::uint32_t most) {
    return arguments.uint32(arguments.field(value, name), name, 0, most);
  };
  state.divisor = static_cast<std::uint16_t>(number("divisor", most_of_divisor));
  for (const auto& [name, member, most] : registers) {
    state.*member = static_cast<std::uint8_t>(number(name, most));
  }
  for (const auto& [name, member] : flags) {
    state.*member = arguments.boolean(arguments.field(value, name), name);
  }
  for (const auto& [name, member, most] : queues) {
    const std::span<const std::byte> bytes = arguments.view(arguments.field(value, name), name);
    if (bytes.size() > most) {
      arguments.range_mistake(std::string("`") + name + "` must have at most " +
                              std::to_string(most) + " bytes");
    }
    state.*member = {bytes.begin(), bytes.end()};
  }
  return state;
}

}  // namespace

Napi::Value Guest::get_devices(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!expect_parked(env)) return {};
  const DevicesState state = parts_->vcpus->devices();
  const Napi::Value com1 = serial_to_js(env, state.com1);
  if (com1.IsEmpty()) return {};
  Napi::Object object = Napi::Object::New(env);
  object.Set("version", layout_version);
  object.Set("com1", com1);
  object.Set("resetControl", std::uint32_t{state.reset_control});
  return object;
}

Napi::Value Guest::set_devices(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!expect_parked(env)) return {};
  Arguments arguments(info, nullptr);
  DevicesState state;
  arguments.object(info[0], "devices");
  arguments.uint32(arguments.field(info[0], "version"), "version", layout_version, layout_version);
  state.com1 = read_serial(arguments, arguments.field(info[0], "com1"));
  state.reset_control = static_cast<std::uint8_t>(arguments.uint32(
      arguments.field(info[0], "resetControl"), "resetControl", 0, most_of_byte));
  if (arguments.is_wrong()) {
    arguments.mistake().ThrowAsJavaScriptException();
    return {};
  }
  parts_->vcpus->set_devices(state);
  return env.Undefined();
}

}  // namespace tdctl
