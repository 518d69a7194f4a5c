// What the loop makes of each call that it hears of: it lets it through, answers or refuses it, or tells.
#include <sys/ioctl.h>

#include <cerrno>

#include "kvm_paths.h"
#include "loop.h"
#include "notifications.h"

namespace tdctl::supervisor {

void Loop::handle(const seccomp_notif& notification) {
  const auto thread = static_cast<pid_t>(notification.pid);
  // A thread that asks anew has left the call it was in before, by a signal.
  for (const CallNumber call :
       calls_.take([thread](const Call& waiting) { return waiting.thread == thread; })) {
    tell(InterruptedEvent{call});
  }
  const TrappedCall* const call = trapped_call(notification.data);
  if (call == nullptr) {
    let_through(listener(), notification.id);
    return;
  }
  switch (call->kind) {
    case CallKind::open:
    case CallKind::creat:
    case CallKind::openat2:
      return handle_open(notification, *call);
    case CallKind::ioctl:
      return handle_ioctl(notification);
    case CallKind::truncate:
    case CallKind::ftruncate:
    case CallKind::seals:
    case CallKind::fallocate:
    case CallKind::mmap:
      return handle_memory_call(notification, *call);
  }
}

namespace {

// do_vfs_ioctl() in fs/ioctl.c: what the kernel does before a file is asked.
bool is_of_every_file(std::uint32_t request) {
  switch (request) {
    case FIOCLEX:
    case FIONCLEX:
    case FIONBIO:
    case FIOASYNC:
      return true;
    default:
      return false;
  }
}

}  // namespace

// The device or pipe behind an fd that is not ours may be anybody's: only its name is looked at.
WatchedFiles::Found Loop::subject_of_ioctl(pid_t thread, int fd, std::uint32_t request) const {
  if ((request & request_type) == kvm_type) return files_.find(thread, fd);
  const WatchedFiles::Found found = files_.find_link(fd_link(thread, fd).c_str());
  const bool is_ours = found.lookup == WatchedFiles::Lookup::ours && !is_of_every_file(request);
  return is_ours ? found : WatchedFiles::Found{WatchedFiles::Lookup::other};
}

void Loop::handle_ioctl(const seccomp_notif& notification) {
  const auto thread = static_cast<pid_t>(notification.pid);
  const auto& arguments = notification.data.args;
  const auto request = static_cast<std::uint32_t>(arguments[1]);
  const WatchedFiles::Found found =
      subject_of_ioctl(thread, static_cast<int>(arguments[0]), request);
  switch (found.lookup) {
    case WatchedFiles::Lookup::out_of_reach:
      return refuse_out_of_reach(notification);
    case WatchedFiles::Lookup::other:
    case WatchedFiles::Lookup::not_open:
      let_through(listener(), notification.id);
      return;
    case WatchedFiles::Lookup::native_kvm:
      return refuse_unserved(notification, "ioctl", EPERM);
    case WatchedFiles::Lookup::ours:
      break;
  }
  if (abi_of(notification.data) != Abi::x86_64) {
    return refuse_unserved(notification, "ioctl", ENOSYS);
  }
  const std::int32_t* const constant =
      answers_by_itself_ ? system_answers_.find(request, arguments[2]) : nullptr;
  if (constant != nullptr && is_system_file(found.number)) {
    answer(listener(), notification.id, *constant);
    return;
  }
  ThreadIdentity identity;
  if (!identify(notification, &identity)) return;
  tell_closed();
  tell(IoctlEvent{
      .call = calls_.add({.id = notification.id, .thread = thread}),
      .thread = thread,
      .identity = identity,
      .file = found.number,
      .request = request,
      .argument = arguments[2],
  });
}

void Loop::refuse_unserved(const seccomp_notif& notification, const char* call, int error) {
  refuse(listener(), notification.id, error);
  tell(UnservedEvent{.call = call, .abi = abi_of(notification.data), .error = error});
}

bool Loop::is_system_file(FileNumber file) {
  const std::lock_guard lock(system_files_mutex_);
  return system_files_.contains(file);
}

bool Loop::identify(const seccomp_notif& notification, ThreadIdentity* into) {
  errno = 0;
  *into = address_spaces_.of(static_cast<pid_t>(notification.pid));
  if (into->address_space != 0) return true;
  const bool is_out_of_files = errno == EMFILE || errno == ENFILE;
  const int error = is_out_of_files ? errno : EPERM;
  // Gone meanwhile: nobody waits. Else it is one that may not be looked into.
  if (is_waiting(listener(), notification.id)) refuse_out_of_reach(notification, error);
  return false;
}

void Loop::refuse_out_of_reach(const seccomp_notif& notification, int error) {
  refuse(listener(), notification.id, EPERM);
  tell(OutOfReachEvent{static_cast<pid_t>(notification.pid), error});
}

}  // namespace tdctl::supervisor
