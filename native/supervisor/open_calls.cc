#include "open_calls.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <span>
#include <string>

#include "../util/unique_fd.h"

namespace tdctl::supervisor {

namespace {

constexpr const char* model = "null";
// struct open_how of Linux 5.6, which had it first.
constexpr std::size_t smallest_how = 24;

UniqueFd place(const char* directory) {
  return UniqueFd(::open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC));
}

UniqueFd raw_openat2(int directory, const char* path, const void* how, std::size_t size) {
  return UniqueFd(static_cast<int>(::syscall(__NR_openat2, directory, path, how, size)));
}

// That this process has no fd left says nothing of the call.
int error_of(const UniqueFd& opened) {
  return opened.is_open() || errno == EMFILE || errno == ENFILE ? 0 : errno;
}

}  // namespace

Access read_named_path(const seccomp_notif& notification, const TrappedCall& call,
                       PathBuffer& buffer, NamedPath* path) {
  const auto& arguments = notification.data.args;
  path->thread = static_cast<pid_t>(notification.pid);
  path->directory = call.directory < 0 ? AT_FDCWD : static_cast<int>(arguments[call.directory]);
  path->in_root = false;
  return read_path(path->thread, arguments[call.subject], buffer, &path->text);
}

open_how OpenHow::known() const {
  open_how how = {};
  std::memcpy(&how, bytes.data(), std::min(size, sizeof how));
  return how;
}

Access read_open_how(const seccomp_notif& notification, const TrappedCall& call, OpenHow* how) {
  const auto& arguments = notification.data.args;
  how->is_openat2 = call.kind == CallKind::openat2;
  if (how->is_openat2) {
    how->size = arguments[call.subject + 2];
    if (how->size < smallest_how || how->size > how->bytes.size()) return Access::fault;
    return read_memory(static_cast<pid_t>(notification.pid), arguments[call.subject + 1],
                       std::span(how->bytes).first(how->size));
  }
  const bool creat = call.kind == CallKind::creat;
  const open_how plain = {
      .flags = creat ? O_CREAT | O_WRONLY | O_TRUNC
                     : static_cast<std::uint32_t>(arguments[call.subject + 1]),
      .mode = 0,
      .resolve = 0,
  };
  how->size = sizeof plain;
  std::memcpy(how->bytes.data(), &plain, sizeof plain);
  return Access::done;
}

bool stops_at_link(const open_how& how) {
  return (how.flags & (O_PATH | O_NOFOLLOW | O_DIRECTORY)) != 0 ||
         (how.flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL) || how.resolve != 0;
}

Modelled open_model(const OpenHow& how) {
  const auto flags = static_cast<int>(how.known().flags);
  const UniqueFd dev = place("/dev");
  struct stat status;
  const bool exists = ::fstatat(dev.get(), model, &status, 0) == 0 && S_ISCHR(status.st_mode);
  // In an empty sandbox; O_CREAT must not make a file.
  if (!exists) return {0, flags & (O_ACCMODE | O_APPEND | O_NONBLOCK)};
  const UniqueFd opened =
      how.is_openat2
          ? raw_openat2(dev.get(), model, how.bytes.data(), how.size)
          : UniqueFd(::openat(dev.get(), model, flags, 0));
  if (const int error = error_of(opened); error != 0) return {error, 0};
  return {0, opened.is_open() ? ::fcntl(opened.get(), F_GETFL) : flags};
}

int walk_to_model(const NamedPath& path, std::uint64_t resolve) {
  const bool from_directory = path.in_root || !path.text.starts_with('/');
  const UniqueFd directory = from_directory ? place(directory_link(path).c_str()) : UniqueFd();
  const open_how walk = {.flags = O_PATH | O_CLOEXEC, .mode = 0, .resolve = resolve};
  return error_of(raw_openat2(from_directory ? directory.get() : AT_FDCWD,
                              beside(path.text, model).c_str(), &walk, sizeof walk));
}

}  // namespace tdctl::supervisor
