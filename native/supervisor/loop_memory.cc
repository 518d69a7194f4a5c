// The loop's answers to calls that files of memory take: most of KVM's files have none, and a guest_memfd
// not as other files have it.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "kvm_paths.h"
#include "loop.h"
#include "notifications.h"
#include "open_calls.h"

namespace tdctl::supervisor {

namespace {

// The kernel is asked with `unmappable`, a file that has no memory either and is open for all: whatever
// stands before that in its order has its say. Never 0.
int why_not_map(const seccomp_data& data, int unmappable) {
  const auto& arguments = data.args;
  // A place in the program's memory means nothing here.
  const std::uint64_t flags = arguments[3] & ~std::uint64_t{MAP_FIXED | MAP_FIXED_NOREPLACE};
  const long mapped = ::syscall(__NR_mmap, nullptr, arguments[1], arguments[2], flags, unmappable,
                                arguments[5]);
  return mapped < 0 ? errno : ENODEV;
}

bool is_shared(const seccomp_data& data) {
  const std::uint64_t type = data.args[3] & MAP_TYPE;
  return type == MAP_SHARED || type == MAP_SHARED_VALIDATE;
}

// 0: the memfd is mapped as KVM's file would be.
int refused_mapping(const seccomp_data& data, const WatchedFiles::Found& file, int unmappable) {
  if (file.mappable == Mappable::any) return 0;
  if (file.mappable == Mappable::shared && is_shared(data)) return 0;
  const int error = why_not_map(data, unmappable);
  if (error != ENODEV) return error;
  if (file.mappable == Mappable::shared) return EINVAL;
  const bool would_write = is_shared(data) && (data.args[2] & PROT_WRITE) != 0;
  return file.is_read_only && would_write ? EACCES : ENODEV;
}

}  // namespace

WatchedFiles::Found Loop::subject_of(const seccomp_notif& notification,
                                     const TrappedCall& call) const {
  const auto thread = static_cast<pid_t>(notification.pid);
  std::string link;
  if (call.kind == CallKind::truncate) {
    PathBuffer buffer;
    NamedPath path;
    const Access access = read_named_path(notification, call, buffer, &path);
    if (access == Access::done && may_lead_to_kvm(path.text)) link = lead_of(path).link;
  } else {
    link = fd_link(thread, static_cast<int>(notification.data.args[call.subject]));
  }
  return link.empty() ? WatchedFiles::Found{WatchedFiles::Lookup::other}
                      : files_.find_link(link.c_str());
}

void Loop::handle_memory_call(const seccomp_notif& notification, const TrappedCall& call) {
  const WatchedFiles::Found file = subject_of(notification, call);
  int error = 0;
  if (file.lookup == WatchedFiles::Lookup::ours) {
    const auto& arguments = notification.data.args;
    switch (call.kind) {
      case CallKind::fallocate:
        return tell_fallocate(notification, file.number);
      case CallKind::mmap:
        error = refused_mapping(notification.data, file, stop_event_.get());
        break;
      case CallKind::seals: {
        const auto command = static_cast<int>(arguments[1]);
        if (command == F_ADD_SEALS) error = file.is_read_only ? EPERM : EINVAL;
        if (command == F_GET_SEALS) error = EINVAL;
        break;
      }
      default:
        error = EINVAL;
    }
  }
  if (error != 0) {
    refuse(listener(), notification.id, error);
  } else {
    let_through(listener(), notification.id);
  }
}

void Loop::tell_fallocate(const seccomp_notif& notification, FileNumber file) {
  ThreadIdentity identity;
  if (!identify(notification, &identity)) return;
  const auto thread = static_cast<pid_t>(notification.pid);
  const auto& arguments = notification.data.args;
  tell_closed();
  tell(FallocateEvent{
      .call = calls_.add({.id = notification.id, .thread = thread}),
      .thread = thread,
      .identity = identity,
      .file = file,
      .mode = static_cast<std::uint32_t>(arguments[1]),
      .offset = static_cast<std::int64_t>(arguments[2]),
      .length = static_cast<std::int64_t>(arguments[3]),
  });
}

}  // namespace tdctl::supervisor
