// Whole messages over a channel, without a turn of the event loop: a length of four bytes in the order of the machine,
// and so many bytes.
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <cstring>

#include "../util/arguments.h"
#include "../util/bytes_js.h"
#include "../util/js_error.h"
#include "fd_channel.h"

namespace tdctl {

namespace {

using Length = std::uint32_t;
using Clock = std::chrono::steady_clock;

constexpr Length most_message_bytes = 16 << 20;
// What is waited for holds up the whole process.
constexpr std::uint32_t most_wait_ms = 1000;

// False once it is too late.
bool wait(int socket, short events, Clock::time_point until) {
  pollfd polled{.fd = socket, .events = events, .revents = 0};
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
  return ::poll(&polled, 1, left > 0 ? static_cast<int>(left) : 0) > 0;
}

// Waits where the other call would have done so. False: too late, or an errno of the call.
template <typename Call>
bool repeat(int socket, short events, Clock::time_point until, Call call) {
  while (true) {
    const ssize_t length = call();
    if (length > 0) return true;
    if (length == 0 || (errno != EAGAIN && errno != EINTR)) return false;
    if (errno == EAGAIN && !wait(socket, events, until)) return false;
  }
}

bool send_all(int socket, std::span<const std::byte> bytes, Clock::time_point until) {
  while (!bytes.empty()) {
    const bool is_on_its_way = repeat(socket, POLLOUT, until, [&] {
      const ssize_t length =
          ::send(socket, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
      if (length > 0) bytes = bytes.subspan(static_cast<std::size_t>(length));
      return length;
    });
    if (!is_on_its_way) return false;
  }
  return true;
}

// What has come stays in `come`, also where that is not all.
bool receive_up_to(int socket, Bytes& come, std::size_t size, Clock::time_point until) {
  while (come.size() < size) {
    const std::size_t before = come.size();
    come.resize(size);
    std::size_t more = 0;
    const bool has_come = repeat(socket, POLLIN, until, [&] {
      const ssize_t length = ::recv(socket, come.data() + before, size - before, MSG_DONTWAIT);
      if (length > 0) more = static_cast<std::size_t>(length);
      return length;
    });
    come.resize(before + more);
    if (!has_come) return false;
  }
  return true;
}

}  // namespace

Napi::Value FdChannel::send_now(const Napi::CallbackInfo& info) {
  Arguments arguments(info, nullptr);
  const std::span<const std::byte> bytes = arguments.view(info[0], "bytes");
  const std::uint32_t ms = arguments.uint32(info[1], "withinMs", 0, most_wait_ms);
  if (bytes.empty() || bytes.size() > most_message_bytes) {
    arguments.range_mistake("`bytes` must have 1 to " + std::to_string(most_message_bytes) +
                            " bytes");
  }
  if (handle()->is_closed()) arguments.closed_mistake("the channel");
  if (sending_) arguments.busy_mistake("the channel sends already");
  if (arguments.is_wrong()) return thrown(arguments.mistake());
  Bytes message(sizeof(Length) + bytes.size());
  const auto length = static_cast<Length>(bytes.size());
  std::memcpy(message.data(), &length, sizeof length);
  std::memcpy(message.data() + sizeof length, bytes.data(), bytes.size());
  const auto until = Clock::now() + std::chrono::milliseconds(ms);
  return Napi::Boolean::New(info.Env(), send_all(handle()->fd(), message, until));
}

Napi::Value FdChannel::receive_now(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Arguments arguments(info, nullptr);
  const std::uint32_t ms = arguments.uint32(info[0], "withinMs", 0, most_wait_ms);
  if (handle()->is_closed()) arguments.closed_mistake("the channel");
  if (receiving_) arguments.busy_mistake("the channel receives already");
  if (arguments.is_wrong()) return thrown(arguments.mistake());
  const auto until = Clock::now() + std::chrono::milliseconds(ms);
  const int socket = handle()->fd();
  Length length = 0;
  if (!receive_up_to(socket, come_, sizeof length, until)) return env.Undefined();
  std::memcpy(&length, come_.data(), sizeof length);
  if (length > most_message_bytes) {
    return thrown(js_error(env, refused(EMSGSIZE, "what came is no message of such a channel")));
  }
  if (!receive_up_to(socket, come_, sizeof length + length, until)) return env.Undefined();
  const Bytes message = std::exchange(come_, {});
  return bytes_to_js(env, std::span(message).subspan(sizeof length));
}

}  // namespace tdctl
