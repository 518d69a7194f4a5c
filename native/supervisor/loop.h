// The thread that hears what trapped programs ask. It answers what needs no thought, lets through
// what is not ours, and hands on the rest as events.
#pragma once

#include <linux/seccomp.h>
#include <pthread.h>
#include <sys/types.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <variant>

#include "../util/unique_fd.h"
#include "address_spaces.h"
#include "calls.h"
#include "launch.h"
#include "notifications.h"
#include "open_calls.h"
#include "terminal.h"
#include "trapped_calls.h"
#include "watched_files.h"

namespace tdctl::supervisor {

// open("/dev/kvm").
struct OpenEvent {
  CallNumber call;
  pid_t thread;
  ThreadIdentity identity;
  bool close_on_exec;
  // What F_GETFL of the fd is to give.
  int flags;
};

// An ioctl on one of our files.
struct IoctlEvent {
  CallNumber call;
  pid_t thread;
  ThreadIdentity identity;
  FileNumber file;
  std::uint32_t request;
  std::uint64_t argument;
};

// fallocate() of one of our files.
struct FallocateEvent {
  CallNumber call;
  pid_t thread;
  ThreadIdentity identity;
  FileNumber file;
  std::uint32_t mode;
  std::int64_t offset;
  std::int64_t length;
};

// A signal came for a thread whose call it ends, or the thread is gone.
struct InterruptedEvent {
  CallNumber call;
};

// The last fd and the last mapping of a file are gone.
struct ClosedEvent {
  FileNumber file;
};

// A thread that cannot be looked into; its call was refused with EPERM.
struct OutOfReachEvent {
  pid_t thread;
  // EPERM: it may not. EMFILE, ENFILE: this process has no fd left for it.
  int error;
};

// A program asked KVM in a way that is not served; it got `error`.
struct UnservedEvent {
  // "open" or "ioctl".
  const char* call;
  Abi abi;
  int error;
};

// The command itself has ended; programs that it started may go on.
struct ExitedEvent {
  CommandEnd end;
};

// The guard was killed; all programs are being ended.
struct GuardLostEvent {};

// Every program is gone. The last event.
struct EndedEvent {};

using Event = std::variant<OpenEvent, IoctlEvent, FallocateEvent, InterruptedEvent, ClosedEvent, OutOfReachEvent,
                           UnservedEvent, ExitedEvent, GuardLostEvent, EndedEvent>;

// Requests whose answer never changes, by request and argument; of one kind of file.
class ConstantAnswers {
 public:
  void add(std::uint32_t request, std::uint32_t argument, std::int32_t value) {
    answers_[key(request, argument)] = value;
  }
  // Null where there is none.
  const std::int32_t* find(std::uint32_t request, std::uint64_t argument) const {
    if (argument > UINT32_MAX) return nullptr;
    const auto found = answers_.find(key(request, static_cast<std::uint32_t>(argument)));
    return found == answers_.end() ? nullptr : &found->second;
  }

 private:
  static std::uint64_t key(std::uint32_t request, std::uint32_t argument) {
    return (std::uint64_t{request} << 32) | argument;
  }
  std::unordered_map<std::uint64_t, std::int32_t> answers_;
};

// Two threads may hear the programs: the loop's own, and the one that answers them, in linger(). Whoever
// receives a notification does so, and tells what comes of it, within one turn (`turn_`), which
// the other waits for. So what is told keeps the order in which it was received, whoever did that: a
// sink that is a queue makes it the order of events. The closes that came before a call are told in
// the call's own turn, before it.
class Loop {
 public:
  using Clock = std::chrono::steady_clock;

  // `sink` is called in the order things happened: by the loop's thread, and within linger().
  Loop(HeldClient client, ConstantAnswers system_answers, std::function<void(Event)> sink);
  ~Loop() { stop(); }

  // Begins to serve. Null, or the name of a call that failed, with errno.
  const char* start();
  // Ends it whatever happens, and what runs still, and waits for that.
  void stop();

  // For the thread that has just answered a call, and would now go to sleep: waits a little for the
  // next one in place of the loop's thread, not beyond `latest`, until something was told. That spares
  // a call the way from thread to thread, which costs more than all that is done for it. Where a call
  // was told, the loop's thread goes on leaving the next one to this one, which says after the
  // call, by linger() or stop_lingering(), whether it will be there. Meanwhile the loop's thread looks
  // every millisecond whether somebody waits because this one is busy.
  void linger(Clock::time_point latest);
  void stop_lingering();

  // EIO for a call that is still there: nobody will answer it.
  void refuse_unanswered(CallNumber number);

  // EndedEvent was told.
  bool has_ended() const { return ended_; }

  HeldClient& client() { return client_; }
  int listener() const { return client_.listener.get(); }
  Calls& calls() { return calls_; }
  WatchedFiles& files() { return files_; }
  // Gives a program the description of `file`, which this process then lets go.
  Installed install(std::uint64_t call_id, NewFile& file, NewFd fd);
  // Files of /dev/kvm, which `system_answers` are for.
  void is_system(FileNumber file);
  // Whether this answers by `system_answers`, or everything is told.
  void answer_by_itself(bool does) { answers_by_itself_ = does; }

 private:
  void serve();
  void tell(Event event);
  // False: none came.
  bool await_call(Clock::time_point latest);
  // Whether the loop's thread hears of notifications at once.
  void watch_listener(bool watched);
  void take_notification();
  void handle(const seccomp_notif& notification);
  void handle_open(const seccomp_notif& notification, const TrappedCall& call);
  void open_kvm(const seccomp_notif& notification, const OpenHow& how);
  void handle_ioctl(const seccomp_notif& notification);
  // A path or an fd of KVM's files gets the kernel's answer, any other file is none of ours.
  void handle_memory_call(const seccomp_notif& notification, const TrappedCall& call);
  void tell_fallocate(const seccomp_notif& notification, FileNumber file);
  // The file that the call is about.
  WatchedFiles::Found subject_of_ioctl(pid_t thread, int fd, std::uint32_t request) const;
  WatchedFiles::Found subject_of(const seccomp_notif& notification, const TrappedCall& call) const;
  void refuse_unserved(const seccomp_notif& notification, const char* call, int error);
  bool is_system_file(FileNumber file);
  // Nothing, with the call refused, where the thread is out of reach.
  bool identify(const seccomp_notif& notification, ThreadIdentity* into);
  void refuse_out_of_reach(const seccomp_notif& notification, int error = EPERM);
  void tell_closed();
  void tell_interrupted();
  void tell_signalled();
  void tell_exited(CommandEnd end);
  void hear_guard();
  // Nothing that the command started is left.
  bool is_all_over();
  void await_ends();

  HeldClient client_;
  const ConstantAnswers system_answers_;
  std::atomic<bool> answers_by_itself_ = true;
  const std::function<void(Event)> sink_;
  UniqueFd stop_event_;
  // Held to receive and to tell.
  std::mutex turn_;
  // How many events were told, and how many notifications taken, so far.
  std::uint64_t told_ = 0;
  std::uint64_t taken_ = 0;
  WatchedFiles files_;
  // The epoll instance of the loop's thread. It does not wake for a notification that the other thread
  // waits for.
  UniqueFd happenings_;
  std::atomic<bool> is_listener_watched_ = true;
  AddressSpaces address_spaces_;
  Calls calls_;
  // Of the process that the program shares its terminal with.
  std::optional<TerminalState> terminal_;
  // Of one that is adopted, another process tells.
  bool command_ended_;
  bool guard_lost_ = false;
  bool stopped_ = false;
  std::atomic<bool> ended_ = false;
  // Held while a description is in two processes: its close here would come late as a last close.
  std::mutex installing_;
  std::mutex system_files_mutex_;
  std::unordered_map<FileNumber, bool> system_files_;
  std::optional<pthread_t> thread_;
};

}  // namespace tdctl::supervisor
