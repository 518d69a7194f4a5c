// The thread that a vCPU runs on. It knows KVM_RUN and how it is interrupted; what an exit means is its
// Exits' matter. Without Node, so that ThreadSanitizer can look at it (testing/threads).
#pragma once

#include <pthread.h>

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>

#include "uapi/run.h"
#include "util/kernel.h"

namespace tdctl {

// The kvm_run area of a vCPU, mapped from map() to the destructor.
class RunArea {
 public:
  static Result<std::unique_ptr<RunArea>> map(int vcpu_fd, std::size_t size_bytes);
  RunArea(std::byte* address, std::size_t size_bytes)
      : address_(address), size_bytes_(size_bytes) {}
  RunArea(const RunArea&) = delete;
  RunArea& operator=(const RunArea&) = delete;
  ~RunArea();

  uapi::kvm_run& run() { return *reinterpret_cast<uapi::kvm_run*>(address_); }
  // `length` bytes at `offset`, which the kernel or a script said. Null where they are outside.
  std::byte* data(std::uint64_t offset, std::uint64_t length) {
    if (offset > size_bytes_ || length > size_bytes_ - offset) return nullptr;
    return address_ + offset;
  }

 private:
  std::byte* address_;
  std::size_t size_bytes_;
};

// Three parties, in this order (what a kick is, see VcpuThread::kick):
//   whoever pauses:  what is wanted, then immediate_exit = 1, then the signal
//   the thread:      immediate_exit = 0, then looks at what is wanted, then KVM_RUN
// A kick that comes before the look is seen there, one that comes after it is seen by KVM_RUN, which reads
// immediate_exit on the way in, and one that comes while the guest runs interrupts it by the signal. So
// no signal mask takes part, and none is lost.
class VcpuThread {
 public:
  enum class Wanted : std::uint8_t { pause, run, stop };

  // How far the vCPU has come since the last run().
  enum class Entry : std::uint8_t {
    // The thread has not come to KVM_RUN yet.
    none,
    // It is in KVM_RUN, or just before it: KVM may still refuse.
    calling,
    // KVM took it into its loop: KVM_RUN came back with an exit, or was interrupted there.
    entered,
    // KVM_RUN came back at once without the guest having run.
    refused,
  };

  // CLOCK_MONOTONIC in nanoseconds; 0 where it has not come to that.
  struct Times {
    std::int64_t parked = 0;
    // Since the last run(): just before the first KVM_RUN, and when that came back.
    std::int64_t entered = 0;
    std::int64_t exited = 0;
  };

  // What the thread asks and tells, all on the thread itself.
  class Exits {
   public:
    // KVM_RUN came back with an exit, or `failure` says why not. The thread goes on once it returns: the
    // exit was answered in kvm_run, or the vCPU is wanted to do something else.
    virtual void exited(VcpuThread& vcpu, const Failure* failure) = 0;
    // The vCPU has come to rest, its I/O is completed.
    virtual void parked(VcpuThread& vcpu) = 0;
    // It calls KVM_RUN for the first time since it was run.
    virtual void calls() = 0;
    // entry() may have changed, for one who has watched it.
    virtual void came_further() = 0;

   protected:
    ~Exits() = default;
  };

  VcpuThread(Kernel kernel, int fd, std::uint32_t index, std::unique_ptr<RunArea> area,
             Exits& exits)
      : kernel_(std::move(kernel)),
        fd_(fd),
        index_(index),
        area_(std::move(area)),
        exits_(exits) {}
  // Stops the thread, then unmaps kvm_run. The fd must still be open.
  ~VcpuThread();

  // The thread is there, parked. Null, or the name of the call that failed, with errno.
  const char* start();

  // Those below are for any thread, one at a time for a vCPU.

  // True where it was parked: it will be told again when it is. `changed`: its state may have been set
  // since it ran last.
  bool run(bool changed);
  // True where the vCPU is parked already, and nothing will be told.
  bool pause();
  // How far it has come, until it is run again. From now on, changes are told.
  Entry watch_entry();
  // Has the KVM_RUN that it is calling come back, so that it is known whether KVM took it. Once for a call.
  void ask_whether_entered() {
    if (!entry_is_asked_.exchange(true)) kick();
  }
  // Whether it has come to KVM_RUN since it was run.
  bool has_called() const { return entry_ != Entry::none; }
  // The errno of a refused KVM_RUN; 0 where it was refused by an exit.
  int refusal() const { return refusal_; }
  Times times() const { return {parked_at_, entered_at_, exited_at_}; }
  // Ends the thread at its next look, and what it waits for; does not wait for that.
  void ask_to_stop();
  // Waits for the thread to end, after ask_to_stop().
  void join();

  std::uint32_t index() const { return index_; }
  RunArea& area() { return *area_; }

  // For Exits: waits until release(), or until the vCPU is to stop, which gives false.
  bool wait_for_release();
  void release();

 private:
  static void* serve(void* self);
  void serve();
  void kick();
  // False where the vCPU is to stop.
  bool park();
  void set_immediate_exit(std::uint8_t value);
  void take_task_priority();
  void note_call();
  void note_return(const Result<int>& answer);
  void tell_entry(Entry entry);

  const Kernel kernel_;
  const int fd_;
  const std::uint32_t index_;
  const std::unique_ptr<RunArea> area_;
  Exits& exits_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::atomic<Wanted> wanted_ = Wanted::pause;
  std::atomic<bool> changed_meanwhile_ = false;
  std::atomic<Entry> entry_ = Entry::none;
  std::atomic<bool> entry_is_watched_ = false;
  std::atomic<bool> entry_is_asked_ = false;
  std::atomic<int> refusal_ = 0;
  std::atomic<std::int64_t> parked_at_ = 0;
  std::atomic<std::int64_t> entered_at_ = 0;
  std::atomic<std::int64_t> exited_at_ = 0;
  // Under the mutex.
  // From the start: the thread has nothing to come to rest from, and may be looked at before it first runs.
  bool parked_ = true;
  bool released_ = false;
  // The thread's own: KVM_RUN has yet to take the answer to its last exit.
  bool owes_completion_ = false;
  // The thread's own: it has not been in the guest since it was run.
  bool is_fresh_ = true;
  bool started_ = false;
  pthread_t thread_{};
};

}  // namespace tdctl
