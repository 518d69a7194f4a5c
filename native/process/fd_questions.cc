#include "fd_questions.h"

#include <sys/file.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>

#include "../util/arguments.h"
#include "../util/js_error.h"

namespace tdctl {

namespace {

constexpr std::uint32_t highest_fd = 0x7fff'ffff;

// -1, with the exception pending.
int read_fd(const Napi::CallbackInfo& info) {
  Arguments arguments(info, nullptr);
  const std::uint32_t fd = arguments.uint32(info[0], "fd", 0, highest_fd);
  if (!arguments.is_wrong()) return static_cast<int>(fd);
  arguments.mistake().ThrowAsJavaScriptException();
  return -1;
}

Napi::Value thrown(Napi::Env env, const char* syscall, const std::string& subject) {
  js_error(env, {.syscall = syscall, .subject = subject, .error_number = errno})
      .ThrowAsJavaScriptException();
  return {};
}

// The first thing that `read` finds in a line of a file of /proc. Without streams, which bring locales along.
template <typename Read>
auto first_in(const std::string& path, Read read) -> decltype(read("")) {
  std::FILE* file = std::fopen(path.c_str(), "re");
  if (file == nullptr) return std::nullopt;
  decltype(read("")) found;
  char* line = nullptr;
  std::size_t capacity = 0;
  while (!found && ::getline(&line, &capacity, file) >= 0) found = read(line);
  std::free(line);
  std::fclose(file);
  return found;
}

// The number behind `format`'s word in /proc/self/fdinfo/N.
std::optional<unsigned long> fd_info(int fd, const char* format) {
  return first_in("/proc/self/fdinfo/" + std::to_string(fd), [format](const char* line) {
    unsigned long value = 0;
    return std::sscanf(line, format, &value) == 1 ? std::optional(value) : std::nullopt;
  });
}

// The device of a mount as /proc/locks writes it, which on some file systems is not what stat() says.
std::optional<std::string> device_of(unsigned long mount) {
  return first_in("/proc/self/mountinfo", [mount](const char* line) -> std::optional<std::string> {
    unsigned long id = 0;
    unsigned major = 0;
    unsigned minor = 0;
    if (std::sscanf(line, "%lu %*u %u:%u", &id, &major, &minor) != 3 || id != mount) return {};
    char device[32];
    std::snprintf(device, sizeof device, "%02x:%02x", major, minor);
    return device;
  });
}

// `1: FLOCK  ADVISORY  WRITE 4711 08:01:131090 0 EOF` (fs/locks.c, lock_get_status); one that waits has an
// arrow after its number.
std::optional<int> flock_on(const std::string& file) {
  return first_in("/proc/locks", [&file](const char* line) -> std::optional<int> {
    int pid = 0;
    char locked[64] = "";
    if (std::sscanf(line, "%*s FLOCK %*s %*s %d %63s", &pid, locked) != 2) return {};
    return file == locked && pid > 0 ? std::optional(pid) : std::nullopt;
  });
}

}  // namespace

Napi::Value try_lock(const Napi::CallbackInfo& info) {
  const int fd = read_fd(info);
  if (fd < 0) return {};
  int answer;
  do {
    answer = ::flock(fd, LOCK_EX | LOCK_NB);
  } while (answer != 0 && errno == EINTR);
  if (answer != 0 && errno != EWOULDBLOCK) return thrown(info.Env(), "flock", std::to_string(fd));
  return Napi::Boolean::New(info.Env(), answer == 0);
}

Napi::Value lock_holder(const Napi::CallbackInfo& info) {
  const int fd = read_fd(info);
  if (fd < 0) return {};
  const auto inode = fd_info(fd, "ino: %lu");
  const auto mount = fd_info(fd, "mnt_id: %lu");
  const auto device = mount ? device_of(*mount) : std::nullopt;
  const auto pid = inode && device ? flock_on(*device + ":" + std::to_string(*inode)) : std::nullopt;
  return pid ? Napi::Number::New(info.Env(), *pid) : info.Env().Undefined();
}

Napi::Value peer_credentials(const Napi::CallbackInfo& info) {
  const int fd = read_fd(info);
  if (fd < 0) return {};
  ucred peer{};
  socklen_t length = sizeof peer;
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) {
    return thrown(info.Env(), "getsockopt", "SO_PEERCRED");
  }
  Napi::Object object = Napi::Object::New(info.Env());
  object.Set("pid", peer.pid);
  object.Set("uid", peer.uid);
  object.Set("gid", peer.gid);
  return object;
}

}  // namespace tdctl
