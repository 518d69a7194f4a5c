#include "loop.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <iterator>
#include <utility>

#include "client_memory.h"
#include "no_signals.h"
#include "notifications.h"

namespace tdctl::supervisor {

namespace {

using Clock = std::chrono::steady_clock;

// Nothing tells of a signal for a thread whose call waits, nor of the thread's end, so while calls
// wait they are looked at this often, but for no more than a twentieth of the time.
constexpr std::chrono::milliseconds look_after_calls_every{1};
constexpr int share_of_looking = 20;
// The guard is looked at this often.
constexpr std::chrono::milliseconds nothing_waits_for{10};

// A process that ends takes no longer than that, if it has little to give back.
constexpr std::chrono::milliseconds look_after_ends_every{1};

}  // namespace

Loop::Loop(HeldClient client, ConstantAnswers system_answers, std::function<void(Event)> sink)
    : client_(std::move(client)),
      system_answers_(std::move(system_answers)),
      sink_(std::move(sink)),
      stop_event_(::eventfd(0, EFD_CLOEXEC)) {}

const char* Loop::start() {
  if (!stop_event_.is_open()) return "eventfd2";
  if (files_.events_fd() < 0) return "inotify_init1";
  // Signals are for the JS thread.
  const NoSignals no_signals;
  const auto run = [](void* loop) -> void* {
    static_cast<Loop*>(loop)->serve();
    return nullptr;
  };
  pthread_t thread;
  // std::thread would end the process where there can be no further one.
  errno = ::pthread_create(&thread, nullptr, run, this);
  if (errno != 0) return "clone";
  thread_ = thread;
  return nullptr;
}

void Loop::stop() {
  if (std::exchange(stopped_, true)) return;
  if (thread_) {
    const std::uint64_t one = 1;
    static_cast<void>(::write(stop_event_.get(), &one, sizeof one));
    ::pthread_join(*thread_, nullptr);
    thread_.reset();
  }
  client_.guard.finish();
  client_.listener.reset();
  client_.group_signals = {};
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
      {.fd = client_.guard.channel(), .events = POLLIN, .revents = 0},
  };
  auto& [listener, closes, stop, guard] = watched;
  Clock::time_point look_again_at = Clock::now();
  seccomp_notif notification;

  for (;;) {
    const auto patience = calls_.empty() ? nothing_waits_for : look_after_calls_every;
    if (::poll(watched, std::size(watched), static_cast<int>(patience.count())) < 0 &&
        errno == EINVAL) {
      // Somebody lowered RLIMIT_NOFILE of this process below the number of files asked about here.
      client_.guard.end_all();
      sink_(OutOfReachEvent{client_.pid, EMFILE});
      break;
    }
    if (stop.revents != 0) return;
    if (guard.revents != 0) {
      hear_guard();
      guard.fd = client_.guard.channel();
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
      is_all_over();
      const Clock::time_point done = Clock::now();
      look_again_at = done + std::max<Clock::duration>(look_after_calls_every,
                                                       share_of_looking * (done - now));
    }
  }
  await_ends();
  if (!command_ended_) hear_guard();
  tell_interrupted();
  tell_closed();
  files_.drain_rest([this](FileNumber file) { sink_(ClosedEvent{file}); });
  terminal_.restore();
  client_.group_signals = {};
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
  while (!is_all_over() && stop.revents == 0) {
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

void Loop::tell_exited(CommandEnd end) {
  command_ended_ = true;
  sink_(ExitedEvent{end});
}

void Loop::hear_guard() {
  if (const auto end = client_.guard.hear()) tell_exited(*end);
}

bool Loop::is_all_over() {
  switch (client_.guard.look()) {
    case Guard::State::watching:
      return false;
    case Guard::State::done:
      return true;
    case Guard::State::lost:
      break;
  }
  if (!std::exchange(guard_lost_, true)) sink_(GuardLostEvent{});
  if (client_.guard.end_orphans()) return false;
  if (!command_ended_) tell_exited({.by_signal = true, .status = SIGKILL});
  return true;
}

}  // namespace tdctl::supervisor
