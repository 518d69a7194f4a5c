#include "notifications.h"

#include <fcntl.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <cstring>

#include "no_signals.h"

namespace tdctl::supervisor {

namespace {

// The kernel takes a lock of the filter interruptibly; signals of this process are no answer.
int retried(int listener, unsigned long request, void* argument) {
  int result;
  do {
    result = ::ioctl(listener, request, argument);
  } while (result < 0 && errno == EINTR);
  return result;
}

ErrorNumber send(int listener, seccomp_notif_resp response) {
  return retried(listener, SECCOMP_IOCTL_NOTIF_SEND, &response) < 0 ? errno : 0;
}

}  // namespace

ErrorNumber receive(int listener, seccomp_notif* into) {
  // The kernel refuses a buffer that is not zeroed.
  std::memset(into, 0, sizeof *into);
  return retried(listener, SECCOMP_IOCTL_NOTIF_RECV, into) < 0 ? errno : 0;
}

ErrorNumber answer(int listener, std::uint64_t id, std::int64_t value) {
  return send(listener, {.id = id, .val = value, .error = 0, .flags = 0});
}

ErrorNumber refuse(int listener, std::uint64_t id, int error_number) {
  return send(listener, {.id = id, .val = 0, .error = -error_number, .flags = 0});
}

ErrorNumber let_through(int listener, std::uint64_t id) {
  return send(listener,
              {.id = id, .val = 0, .error = 0, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE});
}

Installed install(int listener, std::uint64_t id, int fd, NewFd how) {
  seccomp_notif_addfd request = {
      .id = id,
      .flags = how.answers ? static_cast<std::uint32_t>(SECCOMP_ADDFD_FLAG_SEND) : 0,
      .srcfd = static_cast<std::uint32_t>(fd),
      .newfd = 0,
      .newfd_flags = how.close_on_exec ? static_cast<std::uint32_t>(O_CLOEXEC) : 0,
  };
  // A signal would end the wait for the caller to take the fd, with the call marked as answered in
  // some kernels: it would return 0, and no fd.
  const NoSignals no_signals;
  const int installed = retried(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &request);
  if (installed >= 0) return {.error = 0, .fd = installed};
  // ESRCH: it went away while the fd was on its way.
  return {.error = errno == ESRCH ? ENOENT : errno, .fd = -1};
}

bool is_waiting(int listener, std::uint64_t id) {
  return retried(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0;
}

ErrorNumber why_not_install(int listener) {
  // No notification has this id: a kernel that knows the flag looks for it, an older one does not.
  const ErrorNumber error = install(listener, ~std::uint64_t{0}, listener, {}).error;
  return error == ENOENT ? 0 : error;
}

}  // namespace tdctl::supervisor
