#include "fd_questions.h"

#include <sys/file.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdio>
#include <fstream>
#include <optional>
#include <sstream>
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

// What stands behind `key` in /proc/self/fdinfo/N.
std::optional<std::string> fd_info(int fd, const std::string& key) {
  std::ifstream lines("/proc/self/fdinfo/" + std::to_string(fd));
  std::string word;
  std::string value;
  while (lines >> word >> value) {
    if (word == key) return value;
  }
  return std::nullopt;
}

// The device of a mount as /proc/locks writes it, which on some file systems is not what stat() says.
std::optional<std::string> device_of(const std::string& mount) {
  std::ifstream mounts("/proc/self/mountinfo");
  std::string line;
  while (std::getline(mounts, line)) {
    std::istringstream fields(line);
    std::string id;
    std::string parent;
    unsigned major = 0;
    unsigned minor = 0;
    char colon = 0;
    if (!(fields >> id >> parent >> major >> colon >> minor) || id != mount) continue;
    char device[32];
    std::snprintf(device, sizeof device, "%02x:%02x", major, minor);
    return device;
  }
  return std::nullopt;
}

// `1: FLOCK  ADVISORY  WRITE 4711 08:01:131090 0 EOF` (fs/locks.c, lock_get_status); one that waits has an
// arrow after its number.
std::optional<int> flock_on(const std::string& file) {
  std::ifstream locks("/proc/locks");
  std::string line;
  while (std::getline(locks, line)) {
    std::istringstream fields(line);
    std::string number;
    std::string kind;
    std::string advisory;
    std::string mode;
    int pid = 0;
    std::string locked;
    if (!(fields >> number >> kind >> advisory >> mode >> pid >> locked)) continue;
    if (kind == "FLOCK" && locked == file && pid > 0) return pid;
  }
  return std::nullopt;
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
  const auto inode = fd_info(fd, "ino:");
  const auto mount = fd_info(fd, "mnt_id:");
  const auto device = mount ? device_of(*mount) : std::nullopt;
  const auto pid = inode && device ? flock_on(*device + ":" + *inode) : std::nullopt;
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
