#include "loop.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <iterator>
#include <utility>

#include "client_memory.h"
#include "notifications.h"

namespace tdctl::supervisor {

namespace {

using Clock = std::chrono::steady_clock;

// Nothing tells of a signal for a thread whose call waits, nor of the thread's end, so while calls
// wait they are looked at this often, but for no more than a twentieth of the time.
constexpr std::chrono::milliseconds look_after_calls_every{1};
constexpr int share_of_looking = 20;
// Orphans are reaped this often.
constexpr std::chrono::milliseconds nothing_waits_for{10};

// A process that ends takes no longer than that, if it has little to give back.
constexpr std::chrono::milliseconds look_after_ends_every{1};

}  // namespace

Loop::Loop(HeldClient client, ConstantAnswers system_answers, std::function<void(Event)> sink)
    : client_(std::move(client)),
      system_answers_(std::move(system_answers)),
      sink_(std::move(sink)),
      stop_event_(::eventfd(0, EFD_CLOEXEC)) {}

void Loop::start() {
  // Programs whose parent ends become children of this process, so that they stay its descendants
  // (Yama lets nobody else look into them) and can be reaped.
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  // Signals are for the JS thread.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { serve(); });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void Loop::stop() {
  if (!thread_.joinable()) return;
  const std::uint64_t one = 1;
  static_cast<void>(::write(stop_event_.get(), &one, sizeof one));
  thread_.join();
  client_.listener.reset();
  client_.turn = {};
  terminal_.restore();
}

void Loop::is_system(FileNumber file) {
  const std::lock_guard lock(system_files_mutex_);
  system_files_[file] = true;
}

void Loop::serve() {
  pollfd watched[] = {
      {.fd = client_.listener.get(), .events = POLLIN, .revents = 0},
      {.fd = files_.events_fd(), .events = POLLIN, .revents = 0},
      {.fd = stop_event_.get(), .events = POLLIN, .revents = 0},
      {.fd = client_.pidfd.get(), .events = POLLIN, .revents = 0},
  };
  auto& [listener, closes, stop, command] = watched;
  Clock::time_point look_again_at = Clock::now();
  seccomp_notif notification;

  for (;;) {
    const auto patience = calls_.empty() ? nothing_waits_for : look_after_calls_every;
    ::poll(watched, std::size(watched), static_cast<int>(patience.count()));
    if (stop.revents != 0) return;
    if (command.revents != 0) {
      reap_command();
      command.fd = -1;
    }
    if (closes.revents != 0) tell_closed();
    if ((listener.revents & POLLIN) != 0) {
      if (receive(listener.fd, &notification) == 0) handle(notification);
    } else if ((listener.revents & POLLHUP) != 0 && command_ended_) {
      break;
    }
    if (const Clock::time_point now = Clock::now(); now >= look_again_at) {
      tell_interrupted();
      tell_signalled();
      if (command_ended_) reap_orphans();
      const Clock::time_point done = Clock::now();
      look_again_at = done + std::max<Clock::duration>(look_after_calls_every,
                                                       share_of_looking * (done - now));
    }
  }
  await_ends();
  tell_interrupted();
  tell_closed();
  files_.drain_rest([this](FileNumber file) { sink_(ClosedEvent{file}); });
  terminal_.restore();
  client_.turn = {};
  ended_ = true;
  sink_(EndedEvent{});
}

Installed Loop::install(std::uint64_t call_id, NewFile& file, bool close_on_exec) {
  const std::lock_guard lock(installing_);
  const Installed installed =
      supervisor::install(listener(), call_id, file.description.get(), close_on_exec);
  if (installed.error != 0) files_.discard(file.number);
  file.description.reset();
  return installed;
}

void Loop::handle(const seccomp_notif& notification) {
  tell_closed();
  const auto thread = static_cast<pid_t>(notification.pid);
  // A thread that asks anew has left the call it was in before, by a signal.
  for (const CallNumber call :
       calls_.take([thread](const Call& waiting) { return waiting.thread == thread; })) {
    sink_(InterruptedEvent{call});
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
      return handle_truncate(notification, *call);
  }
}

void Loop::handle_ioctl(const seccomp_notif& notification) {
  const auto thread = static_cast<pid_t>(notification.pid);
  const auto& arguments = notification.data.args;
  const auto request = static_cast<std::uint32_t>(arguments[1]);
  const WatchedFiles::Found found = files_.find(thread, static_cast<int>(arguments[0]));
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
  const std::int32_t* const constant = system_answers_.find(request, arguments[2]);
  if (constant != nullptr && is_system_file(found.number)) {
    answer(listener(), notification.id, *constant);
    return;
  }
  ThreadIdentity identity;
  if (!identify(notification, &identity)) return;
  sink_(IoctlEvent{
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
  sink_(UnservedEvent{.call = call, .abi = abi_of(notification.data), .error = error});
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
  sink_(OutOfReachEvent{static_cast<pid_t>(notification.pid), error});
}

void Loop::tell_closed() {
  {
    // Whoever got a file just now may have closed it, or ended, before this process let it go.
    const std::lock_guard lock(installing_);
  }
  bool any = false;
  files_.drain([this, &any](FileNumber file) {
    {
      const std::lock_guard lock(system_files_mutex_);
      system_files_.erase(file);
    }
    any = true;
    sink_(ClosedEvent{file});
  });
  // A process that was killed has closed its files, and the calls of its threads are over: whoever
  // has waited for its end may count on both.
  if (any) tell_interrupted();
}

// Since Linux 6.11 a task that ends lets go of the filter first, and closes its files later.
void Loop::await_ends() {
  pollfd stop = {.fd = stop_event_.get(), .events = POLLIN, .revents = 0};
  while (reap_orphans() && stop.revents == 0) {
    ::poll(&stop, 1, static_cast<int>(look_after_ends_every.count()));
  }
}

void Loop::tell_interrupted() {
  const int fd = listener();
  for (const CallNumber call :
       calls_.take([fd](const Call& waiting) { return !is_waiting(fd, waiting.id); })) {
    sink_(InterruptedEvent{call});
  }
}

void Loop::tell_signalled() {
  for (const CallNumber call : calls_.signalled([](const Call& waiting) {
         return has_pending_signal(waiting.thread, waiting.blocked);
       })) {
    sink_(InterruptedEvent{call});
  }
}

void Loop::reap_command() {
  siginfo_t info = {};
  if (::waitid(static_cast<idtype_t>(P_PIDFD), static_cast<id_t>(client_.pidfd.get()), &info,
               WEXITED) < 0) {
    return;
  }
  command_ended_ = true;
  sink_(ExitedEvent{.by_signal = info.si_code != CLD_EXITED, .status = info.si_status});
}

// Before Linux 6.11 a zombie still counts as a user of the filter. Once the command has ended, what
// this process may wait for are the command's orphans only.
bool Loop::reap_orphans() {
  pid_t reaped;
  do {
    reaped = ::waitpid(-1, nullptr, WNOHANG);
  } while (reaped > 0);
  return reaped == 0;
}

}  // namespace tdctl::supervisor
