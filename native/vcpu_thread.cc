#include "vcpu_thread.h"

#include <signal.h>
#include <sys/mman.h>
#include <time.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "uapi/state.h"

namespace tdctl {

namespace {

// A real-time signal that nothing in Node or libuv uses. Its handler does nothing: that it came is what
// ends KVM_RUN with EINTR.
int kick_signal() { return SIGRTMIN + 7; }

void ignore(int) {}

// The clock of process.hrtime.
std::int64_t monotonic_now() {
  timespec now;
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

// Doing it again changes nothing.
bool handle_kicks() {
  struct sigaction action = {};
  action.sa_handler = ignore;
  return ::sigaction(kick_signal(), &action, nullptr) == 0;
}

// The signals of the process are Node's matter, but for the kick and for what a thread does to itself.
void block_signals(sigset_t* before) {
  sigset_t blocked;
  ::sigfillset(&blocked);
  for (const int number : {kick_signal(), SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP}) {
    ::sigdelset(&blocked, number);
  }
  ::pthread_sigmask(SIG_SETMASK, &blocked, before);
}

}  // namespace

Result<std::unique_ptr<RunArea>> RunArea::map(int vcpu_fd, std::size_t size_bytes) {
  void* address = ::mmap(nullptr, size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu_fd, 0);
  if (address == MAP_FAILED) {
    return Failure{.syscall = "mmap",
                   .subject = "of kvm_run, " + std::to_string(size_bytes) + " bytes",
                   .error_number = errno};
  }
  return std::make_unique<RunArea>(static_cast<std::byte*>(address), size_bytes);
}

RunArea::~RunArea() { ::munmap(address_, size_bytes_); }

VcpuThread::~VcpuThread() {
  ask_to_stop();
  join();
}

const char* VcpuThread::start() {
  if (!handle_kicks()) return "sigaction";
  parked_at_ = monotonic_now();
  sigset_t before;
  block_signals(&before);
  const int error = ::pthread_create(&thread_, nullptr, &VcpuThread::serve, this);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (error != 0) {
    errno = error;
    return "pthread_create";
  }
  started_ = true;
  return nullptr;
}

bool VcpuThread::run(bool changed) {
  bool was_parked = false;
  {
    const std::lock_guard lock(mutex_);
    if (wanted_ == Wanted::stop) return false;
    // Before what is wanted: the thread looks the other way round, and may not even have parked yet.
    if (changed) changed_meanwhile_ = true;
    // At once: a pause that comes before the thread has noticed must hear of it again.
    was_parked = std::exchange(parked_, false);
    if (was_parked) {
      entry_ = Entry::none;
      entry_is_watched_ = false;
      entered_at_ = 0;
      exited_at_ = 0;
    }
    wanted_ = Wanted::run;
  }
  changed_.notify_one();
  return was_parked;
}

bool VcpuThread::pause() {
  {
    const std::lock_guard lock(mutex_);
    if (parked_ || wanted_ == Wanted::stop) return true;
    wanted_ = Wanted::pause;
  }
  kick();
  return false;
}

void VcpuThread::ask_to_stop() {
  {
    const std::lock_guard lock(mutex_);
    wanted_ = Wanted::stop;
  }
  changed_.notify_one();
  kick();
}

// After what is wanted was said. The thread is there until join().
void VcpuThread::kick() {
  set_immediate_exit(1);
  if (started_) ::pthread_kill(thread_, kick_signal());
}

void VcpuThread::join() {
  if (std::exchange(started_, false)) ::pthread_join(thread_, nullptr);
}

bool VcpuThread::wait_for_release() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return released_ || wanted_ == Wanted::stop; });
  return std::exchange(released_, false);
}

void VcpuThread::release() {
  {
    const std::lock_guard lock(mutex_);
    released_ = true;
  }
  changed_.notify_one();
}

void* VcpuThread::serve(void* self) {
  static_cast<VcpuThread*>(self)->serve();
  return nullptr;
}

void VcpuThread::serve() {
  // As it is shown by `ps -L` and in /proc/PID/task/*/comm.
  ::pthread_setname_np(::pthread_self(), ("vcpu " + std::to_string(index_)).c_str());
  while (true) {
    set_immediate_exit(0);
    if (const Wanted wanted = wanted_; wanted == Wanted::stop) {
      return;
    } else if (wanted == Wanted::pause) {
      if (!owes_completion_) {
        if (!park()) return;
        continue;
      }
      // The kernel takes the answer to port I/O, MMIO or a hypercall at the next KVM_RUN: state read before
      // would have the instruction done twice. With immediate_exit it does that and nothing else; where
      // it takes several goes, there is another exit first.
      set_immediate_exit(1);
    } else if (changed_meanwhile_) {
      changed_meanwhile_ = false;
      take_task_priority();
    }
    if (is_fresh_) note_call();
    const Result<int> answer = kernel_.ioctl(fd_, uapi::request::kvm_run);
    if (is_fresh_) note_return(answer);
    const int error = answer.ok() ? 0 : answer.failure().error_number;
    // EAGAIN: a vCPU that waited for its INIT has become runnable.
    owes_completion_ = answer.ok();
    if (error == EINTR || error == EAGAIN) continue;
    exits_.exited(*this, answer.ok() ? nullptr : &answer.failure());
  }
}

bool VcpuThread::park() {
  std::unique_lock lock(mutex_);
  while (wanted_ == Wanted::pause) {
    if (!std::exchange(parked_, true)) {
      is_fresh_ = true;
      parked_at_ = monotonic_now();
      lock.unlock();
      exits_.parked(*this);
      lock.lock();
      continue;
    }
    changed_.wait(lock);
  }
  return wanted_ != Wanted::stop;
}

void VcpuThread::note_call() {
  // KVM tells what has interrupted it there, but not what immediate_exit did.
  area_->run().exit_reason = uapi::kvm_exit_unknown;
  entry_is_asked_ = false;
  tell_entry(Entry::calling);
  exits_.calls();
  // Last: until here it waited for this thread.
  entered_at_ = monotonic_now();
}

// In kvm_arch_vcpu_ioctl_run an interruption leaves KVM_EXIT_INTR behind once it got to running the guest, or
// to waiting for its INIT; immediate_exit, which is looked at before that, leaves what was there. EAGAIN: the
// INIT has come.
void VcpuThread::note_return(const Result<int>& answer) {
  const std::uint32_t reason = area_->run().exit_reason;
  const int error = answer.ok() ? 0 : answer.failure().error_number;
  if (error == EINTR && reason != uapi::kvm_exit_intr) return;
  is_fresh_ = false;
  exited_at_ = monotonic_now();
  const bool is_taken = error == EINTR || error == EAGAIN || reason == uapi::kvm_exit_memory_fault;
  const bool has_failed =
      reason == uapi::kvm_exit_fail_entry || reason == uapi::kvm_exit_internal_error;
  refusal_ = is_taken ? 0 : error;
  tell_entry(is_taken || (error == 0 && !has_failed) ? Entry::entered : Entry::refused);
}

// What is told first and looked at then, and the other way round in watch_entry(): one of both hears.
void VcpuThread::tell_entry(Entry entry) {
  entry_ = entry;
  if (entry_is_watched_) exits_.came_further();
}

VcpuThread::Entry VcpuThread::watch_entry() {
  entry_is_watched_ = true;
  return entry_;
}

// Without an APIC in the kernel, KVM_RUN sets CR8 to what kvm_run says (kvm_arch_vcpu_ioctl_run), over what
// KVM_SET_SREGS set before. With one, kvm_run is not read, and nobody asks (GuestOptions::apic_in_kernel).
void VcpuThread::take_task_priority() {
  uapi::kvm_sregs sregs{};
  if (!kernel_.ioctl(fd_, uapi::request::kvm_get_sregs, &sregs).ok()) return;
  std::memcpy(&area_->run().cr8, sregs.bytes + uapi::sregs_cr8_at, sizeof area_->run().cr8);
}

// The kernel reads it on the way into KVM_RUN, from this thread; others set it.
void VcpuThread::set_immediate_exit(std::uint8_t value) {
  std::atomic_ref(area_->run().immediate_exit).store(value);
}

}  // namespace tdctl
