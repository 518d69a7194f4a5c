#include "loop.h"

#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

#include "no_signals.h"
#include "notifications.h"

namespace tdctl::supervisor {

namespace {

// Nothing tells of a signal for a thread whose call waits, nor of the thread's end, so while calls
// wait they are looked at this often, but for no more than a twentieth of the time.
constexpr std::chrono::milliseconds look_after_calls_every{1};
constexpr int share_of_looking = 20;
// A program that goes on calling has asked again by then; one that does not costs this wait, asleep.
constexpr std::chrono::microseconds linger_for{60};
// The guard is looked at this often.
constexpr std::chrono::milliseconds nothing_waits_for{10};

// A process that ends takes no longer than that, if it has little to give back.
constexpr std::chrono::milliseconds look_after_ends_every{1};

// What the loop's thread hears of.
enum class Source : std::uint32_t { listener, closes, stop, guard };
constexpr std::size_t source_count = 4;

epoll_event interest_in(Source source) {
  return {.events = EPOLLIN, .data = {.u32 = static_cast<std::uint32_t>(source)}};
}

// What has happened, by source.
class Happenings {
 public:
  static Happenings wait(int epoll, std::chrono::milliseconds patience) {
    epoll_event events[source_count];
    const int count =
        ::epoll_wait(epoll, events, source_count, static_cast<int>(patience.count()));
    Happenings happened;
    for (int at = 0; at < count; ++at) happened.by_source_[events[at].data.u32] = events[at].events;
    return happened;
  }
  std::uint32_t of(Source source) const { return by_source_[static_cast<std::uint32_t>(source)]; }

 private:
  std::uint32_t by_source_[source_count] = {};
};

// What a wait for `fd` ends with; nothing after `patience`.
short readiness(int fd, Loop::Clock::duration patience) {
  pollfd watched = {.fd = fd, .events = POLLIN, .revents = 0};
  const auto nanoseconds = std::chrono::nanoseconds(patience).count();
  const timespec timeout = {.tv_sec = 0, .tv_nsec = nanoseconds};
  return ::ppoll(&watched, 1, &timeout, nullptr) > 0 ? watched.revents : short{0};
}

}  // namespace

Loop::Loop(HeldClient client, ConstantAnswers system_answers, std::function<void(Event)> sink)
    : client_(std::move(client)),
      system_answers_(std::move(system_answers)),
      sink_(std::move(sink)),
      stop_event_(::eventfd(0, EFD_CLOEXEC)),
      happenings_(::epoll_create1(EPOLL_CLOEXEC)),
      command_ended_(client_.is_adopted()) {
  if (!client_.is_adopted()) terminal_.emplace();
  const std::pair<Source, int> sources[] = {{Source::listener, listener()},
                                            {Source::closes, files_.events_fd()},
                                            {Source::stop, stop_event_.get()},
                                            {Source::guard, client_.guard.channel()}};
  for (const auto& [source, fd] : sources) {
    epoll_event interest = interest_in(source);
    ::epoll_ctl(happenings_.get(), EPOLL_CTL_ADD, fd, &interest);
  }
}

const char* Loop::start() {
  if (!stop_event_.is_open()) return "eventfd2";
  if (!happenings_.is_open()) return "epoll_create1";
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
  for (const CallNumber call : calls_.all()) refuse_unanswered(call);
  // Not left to the end of the object, which JS may be long in coming to.
  client_.listener.reset();
  client_.pidfd.reset();
  client_.guard_elsewhere.reset();
  happenings_.reset();
  stop_event_.reset();
  files_.close();
  address_spaces_ = {};
  client_.group_signals = {};
  client_.turn = {};
  if (terminal_) terminal_->restore();
}

void Loop::is_system(FileNumber file) {
  const std::lock_guard lock(system_files_mutex_);
  system_files_[file] = true;
}

void Loop::serve() {
  Clock::time_point look_again_at = Clock::now();
  std::uint64_t told_before = 0;
  std::uint64_t taken_before = 0;
  auto patience = nothing_waits_for;

  for (;;) {
    const auto happened = Happenings::wait(happenings_.get(), patience);
    if (happened.of(Source::stop) != 0) return;
    const std::lock_guard turn(turn_);
    if (happened.of(Source::guard) != 0) hear_guard();
    if (happened.of(Source::closes) != 0) tell_closed();
    auto notified = happened.of(Source::listener);
    // What was heard may have been taken meanwhile, and not everything was heard.
    if (taken_ != taken_before || !is_listener_watched_) {
      notified = readiness(listener(), Clock::duration::zero());
    }
    if ((notified & EPOLLIN) != 0) {
      // Whoever lingered is busy.
      watch_listener(true);
      take_notification();
    } else if ((notified & EPOLLHUP) != 0 && command_ended_) {
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
    const bool is_quiet = calls_.empty() && told_ == told_before;
    patience = is_quiet ? nothing_waits_for : look_after_calls_every;
    told_before = told_;
    taken_before = taken_;
  }
  await_ends();
  const std::lock_guard turn(turn_);
  if (!command_ended_) hear_guard();
  tell_interrupted();
  tell_closed();
  files_.drain_rest([this](FileNumber file) { tell(ClosedEvent{file}); });
  if (terminal_) terminal_->restore();
  client_.group_signals = {};
  client_.turn = {};
  ended_ = true;
  tell(EndedEvent{});
}

void Loop::linger(Clock::time_point latest) {
  bool has_call = false;
  // Else the loop's thread has something to tell.
  if (const std::unique_lock turn(turn_, std::try_to_lock);
      turn.owns_lock() && client_.listener.is_open()) {
    watch_listener(false);
    has_call = await_call(latest);
  }
  if (!has_call) stop_lingering();
}

void Loop::stop_lingering() { watch_listener(true); }

bool Loop::await_call(Clock::time_point latest) {
  const CallNumber last = calls_.last();
  const std::uint64_t told_before = told_;
  while (told_ == told_before) {
    const Clock::duration left = latest - Clock::now();
    if (left <= Clock::duration::zero()) return false;
    const Clock::duration patience = std::min<Clock::duration>(linger_for, left);
    if ((readiness(listener(), patience) & POLLIN) == 0) return false;
    take_notification();
  }
  return calls_.last() != last;
}

void Loop::take_notification() {
  ++taken_;
  seccomp_notif notification;
  if (receive(listener(), &notification) == 0) handle(notification);
}

void Loop::refuse_unanswered(CallNumber number) {
  const std::optional<Call> call = calls_.find(number);
  if (!call) return;
  calls_.remove(number);
  refuse(listener(), call->id, EIO);
}

void Loop::tell(Event event) {
  ++told_;
  sink_(std::move(event));
}

void Loop::watch_listener(bool watched) {
  if (is_listener_watched_.exchange(watched) == watched) return;
  epoll_event interest = interest_in(Source::listener);
  if (!watched) interest.events = 0;
  ::epoll_ctl(happenings_.get(), EPOLL_CTL_MOD, listener(), &interest);
}

Installed Loop::install(std::uint64_t call_id, NewFile& file, NewFd fd) {
  const std::lock_guard lock(installing_);
  const Installed installed =
      supervisor::install(listener(), call_id, file.description.get(), fd);
  if (installed.error != 0) files_.discard(file.number);
  file.description.reset();
  return installed;
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
    tell(ClosedEvent{file});
  });
  // A process that was killed has closed its files, and the calls of its threads are over: whoever
  // has waited for its end may count on both.
  if (any) tell_interrupted();
}

// Since Linux 6.11 a task that ends lets go of the filter first, and closes its files later.
void Loop::await_ends() {
  pollfd stop = {.fd = stop_event_.get(), .events = POLLIN, .revents = 0};
  const auto in_turn = [this] {
    const std::lock_guard turn(turn_);
    return is_all_over();
  };
  while (!in_turn() && stop.revents == 0) {
    ::poll(&stop, 1, static_cast<int>(look_after_ends_every.count()));
  }
}

void Loop::tell_interrupted() {
  const int fd = listener();
  for (const CallNumber call :
       calls_.take([fd](const Call& waiting) { return !is_waiting(fd, waiting.id); })) {
    tell(InterruptedEvent{call});
  }
}

void Loop::tell_signalled() {
  for (const CallNumber call : calls_.signalled([](const Call& waiting) {
         return has_pending_signal(waiting.thread, waiting.blocked);
       })) {
    tell(InterruptedEvent{call});
  }
}

void Loop::tell_exited(CommandEnd end) {
  command_ended_ = true;
  tell(ExitedEvent{end});
}

void Loop::hear_guard() {
  const int channel = client_.guard.channel();
  if (channel < 0) return;
  if (const auto end = client_.guard.hear()) tell_exited(*end);
  if (client_.guard.channel() < 0) {
    ::epoll_ctl(happenings_.get(), EPOLL_CTL_DEL, channel, nullptr);
  }
}

bool Loop::is_all_over() {
  if (client_.is_adopted()) {
    return readiness(client_.guard_elsewhere.get(), Clock::duration::zero()) != 0;
  }
  switch (client_.guard.look()) {
    case Guard::State::watching:
      return false;
    case Guard::State::done:
      return true;
    case Guard::State::lost:
      break;
  }
  if (!std::exchange(guard_lost_, true)) tell(GuardLostEvent{});
  if (client_.guard.end_orphans()) return false;
  if (!command_ended_) tell_exited({.by_signal = true, .status = SIGKILL});
  return true;
}

}  // namespace tdctl::supervisor
