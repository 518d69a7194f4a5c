#include "datagram.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string>

#include "../util/arguments.h"
#include "../util/js_error.h"
#include "../util/unique_fd.h"

namespace tdctl {

namespace {

Napi::Value thrown(Napi::Env env, const char* syscall, const std::string& subject) {
  js_error(env, {.syscall = syscall, .subject = subject, .error_number = errno})
      .ThrowAsJavaScriptException();
  return {};
}

}  // namespace

Napi::Value send_datagram(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Arguments arguments(info, nullptr);
  std::string path = arguments.string(info[0], "path");
  const std::span<const std::byte> bytes = arguments.view(info[1], "bytes");
  sockaddr_un address{};
  // A path ends with a NUL; a name of the abstract namespace is all of its bytes, the first of which is one.
  const bool is_abstract = path.starts_with('@');
  const std::size_t length = path.size() + (is_abstract ? 0 : 1);
  if (is_abstract) path.front() = '\0';
  if (path.empty() || length > sizeof address.sun_path) {
    arguments.range_mistake("`path` must have 1 to " +
                            std::to_string(sizeof address.sun_path - (is_abstract ? 0 : 1)) +
                            " bytes");
  }
  if (arguments.is_wrong()) {
    arguments.mistake().ThrowAsJavaScriptException();
    return {};
  }
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  const UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket.is_open()) return thrown(env, "socket", "AF_UNIX");
  // Nobody is waited for: whoever does not read cannot hold this thread up.
  const auto sent = ::sendto(socket.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
                             reinterpret_cast<const sockaddr*>(&address),
                             static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length));
  if (sent < 0) return thrown(env, "sendto", "of a datagram");
  return env.Undefined();
}

}  // namespace tdctl
