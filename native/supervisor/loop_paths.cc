// The loop's answers to calls that open a file.
#include <fcntl.h>
#include <linux/openat2.h>

#include <cerrno>
#include <string>

#include "kvm_paths.h"
#include "loop.h"
#include "notifications.h"
#include "open_calls.h"

namespace tdctl::supervisor {

void Loop::handle_open(const seccomp_notif& notification, const TrappedCall& call) {
  PathBuffer buffer;
  NamedPath path;
  const Access access = read_named_path(notification, call, buffer, &path);
  if (access == Access::out_of_reach) return refuse_out_of_reach(notification);
  if (access == Access::fault || !may_lead_to_kvm(path.text)) {
    let_through(listener(), notification.id);
    return;
  }
  OpenHow how;
  const Access how_access = read_open_how(notification, call, &how);
  if (how_access == Access::out_of_reach) return refuse_out_of_reach(notification);
  const open_how known = how_access == Access::done ? how.known() : open_how{};
  path.in_root = (known.resolve & RESOLVE_IN_ROOT) != 0;
  // O_PATH opens nothing: it sees the device of this machine, as stat() does.
  const bool opens = how_access == Access::done && (known.flags & O_PATH) == 0;
  const Lead lead = opens ? lead_of(path) : Lead{Lead::To::elsewhere};
  if (lead.to == Lead::To::dev_kvm) {
    const int error = known.resolve == 0 ? 0 : walk_to_model(path, known.resolve);
    if (error == 0) return open_kvm(notification, how);
    refuse(listener(), notification.id, error);
    return;
  }
  if (lead.to == Lead::To::link && !stops_at_link(known)) {
    const WatchedFiles::Found found = files_.find_link(lead.link.c_str());
    const bool ours = found.lookup == WatchedFiles::Lookup::ours;
    // What is a device file is opened anew.
    if (found.lookup == WatchedFiles::Lookup::native_kvm || (ours && is_system_file(found.number))) {
      return open_kvm(notification, how);
    }
    if (ours) {
      // Linux cannot open an anonymous inode.
      refuse(listener(), notification.id, ENXIO);
      return;
    }
  }
  let_through(listener(), notification.id);
}

void Loop::open_kvm(const seccomp_notif& notification, const OpenHow& how) {
  const Abi abi = abi_of(notification.data);
  if (abi != Abi::x86_64) return refuse_unserved(notification, "open", ENOSYS);
  const Modelled modelled = open_model(how);
  if (modelled.error != 0) {
    refuse(listener(), notification.id, modelled.error);
    return;
  }
  ThreadIdentity identity;
  if (!identify(notification, &identity)) return;
  const auto thread = static_cast<pid_t>(notification.pid);
  tell_closed();
  tell(OpenEvent{
      .call = calls_.add({.id = notification.id, .thread = thread}),
      .thread = thread,
      .identity = identity,
      .close_on_exec = (how.known().flags & O_CLOEXEC) != 0,
      .flags = modelled.flags,
  });
}

}  // namespace tdctl::supervisor
