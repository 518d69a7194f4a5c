// The threads of vCPUs, for ThreadSanitizer: no Node, and in place of KVM_RUN a function that exits as a guest
// would, by chance. A main thread runs, pauses, answers, types and stops as the JS thread does.
// scripts/test-native-sanitized.mjs builds and runs it: `vcpus ROUNDS SEED`. Ends non-zero where a pause
// is lost, a vCPU runs while it is parked, or a byte is lost or comes twice.
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <vector>

#include "../../vcpu_exits.h"

namespace {

using namespace tdctl;

constexpr std::uint32_t vcpu_count = 3;
constexpr std::size_t run_bytes = 2 * 4096;

// The file of a vCPU, and its guest: it counts on COM1.
struct FakeVcpu {
  int fd = -1;
  uapi::kvm_run* run = nullptr;
  std::mt19937 random;
  // As kvm_vcpu.mutex: two at once would be a defect.
  std::atomic<bool> entered = false;
  // What KVM_RUN completes at its next call.
  bool owes_completion = false;
  std::uint64_t completed = 0;
};

FakeVcpu vcpus[vcpu_count];
std::atomic<bool> may_run = false;
std::atomic<bool> may_end = false;
std::atomic<std::uint64_t> printed = 0;
std::atomic<bool> failed = false;

void fail(const char* what) {
  if (!failed.exchange(true)) std::fprintf(stderr, "%s\n", what);
}

void exit_with(FakeVcpu& vcpu, std::uint32_t reason) {
  vcpu.run->exit_reason = reason;
  vcpu.owes_completion = true;
}

// What a guest does until it exits. 0, or EINTR.
int run_guest(FakeVcpu& vcpu, const sigset_t& unblocked) {
  if (vcpu.owes_completion) {
    vcpu.owes_completion = false;
    ++vcpu.completed;
  }
  if (std::atomic_ref(vcpu.run->immediate_exit).load() != 0) return EINTR;
  if (!may_run) fail("a vCPU runs although all were told to be parked");
  if (may_end && vcpu.random() % 4 == 0) {
    exit_with(vcpu, uapi::kvm_exit_shutdown);
    return 0;
  }
  switch (vcpu.random() % 4) {
    case 0: {
      // It spins until it is interrupted: by the signal alone, as immediate_exit was read before.
      const timespec longest = {.tv_sec = 10, .tv_nsec = 0};
      if (::ppoll(nullptr, 0, &longest, &unblocked) == 0) fail("a kick was lost");
      vcpu.run->exit_reason = uapi::kvm_exit_intr;
      return EINTR;
    }
    case 1:
      vcpu.run->mmio.phys_addr = vcpu.random();
      vcpu.run->mmio.len = 4;
      vcpu.run->mmio.is_write = 0;
      exit_with(vcpu, uapi::kvm_exit_mmio);
      return 0;
    default:
      vcpu.run->io.direction = 1;
      vcpu.run->io.size = 1;
      vcpu.run->io.port = 0x3f8;
      vcpu.run->io.count = 1;
      vcpu.run->io.data_offset = 4096;
      ++printed;
      exit_with(vcpu, uapi::kvm_exit_io);
      return 0;
  }
}

int fake_ioctl(void*, int fd, unsigned long request, unsigned long) {
  if (request != uapi::request::kvm_run.number) return 0;
  for (FakeVcpu& vcpu : vcpus) {
    if (vcpu.fd != fd) continue;
    if (vcpu.entered.exchange(true)) fail("two threads are in one vCPU");
    // In the kernel a signal stays pending until somebody looks, or the call returns.
    sigset_t all;
    sigset_t before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    const int error = run_guest(vcpu, before);
    vcpu.entered = false;
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    errno = error;
    return error == 0 ? 0 : -1;
  }
  errno = EBADF;
  return -1;
}

class Wakes {
 public:
  void wake() {
    {
      const std::lock_guard lock(mutex_);
      woken_ = true;
    }
    changed_.notify_one();
  }
  void wait() {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, std::chrono::seconds(20), [this] { return woken_; })) {
      fail("nobody told of a pause");
    }
    woken_ = false;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool woken_ = false;
};

void make_files() {
  for (FakeVcpu& vcpu : vcpus) {
    vcpu.fd = ::memfd_create("vcpu", MFD_CLOEXEC);
    if (::ftruncate(vcpu.fd, run_bytes) != 0) std::abort();
    vcpu.run = static_cast<uapi::kvm_run*>(
        ::mmap(nullptr, run_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu.fd, 0));
    vcpu.owes_completion = false;
  }
}

void close_files() {
  for (FakeVcpu& vcpu : vcpus) {
    ::munmap(vcpu.run, run_bytes);
    ::close(vcpu.fd);
  }
}

// Takes what has come up, answers all of it, and counts the console. True once all are parked.
bool serve(GuestVcpus& guest, std::uint64_t* seen) {
  const GuestVcpus::Taken taken = guest.take();
  *seen += taken.console.bytes.size() + taken.console.lost_bytes;
  for (const std::uint32_t vcpu : taken.waiting) {
    guest.run_of(vcpu).mmio.data[0] = 1;
    guest.release(vcpu);
  }
  return taken.all_parked;
}

void wait_until_entered(GuestVcpus& guest, Wakes& wakes, std::uint64_t* seen) {
  while (guest.watch_entries().entry != VcpuThread::Entry::entered && !failed) {
    wakes.wait();
    serve(guest, seen);
  }
  const VcpuThread::Times times = guest.times();
  if (times.entered == 0 || times.exited < times.entered) fail("times of an entry are missing");
}

void run_and_pause(GuestVcpus& guest, Wakes& wakes, std::mt19937& random, std::uint64_t* seen) {
  may_run = true;
  guest.run(std::vector<bool>(vcpu_count, random() % 2 == 0));
  const std::byte typed[1] = {};
  if (random() % 4 == 0) guest.receive(typed);
  if (random() % 4 == 0) wait_until_entered(guest, wakes, seen);
  // Also at once, before any thread has noticed.
  for (unsigned turn = random() % 4; turn > 0; --turn) {
    ::usleep(random() % 200);
    serve(guest, seen);
  }
  bool parked = guest.pause();
  while (!parked && !failed) {
    wakes.wait();
    parked = serve(guest, seen);
  }
  may_run = false;
  for (const FakeVcpu& vcpu : vcpus) {
    if (vcpu.owes_completion) fail("a vCPU is parked with I/O to complete");
  }
}

void live(std::mt19937& random) {
  make_files();
  for (FakeVcpu& vcpu : vcpus) vcpu.random.seed(random());
  Wakes wakes;
  GuestOptions options;
  options.ports.console_bound = 16;
  options.interrupt.kind = GuestInterrupt::Kind::line;
  std::uint64_t seen = 0;
  const std::uint64_t before = printed;
  {
    GuestVcpus guest(Kernel(fake_ioctl, nullptr), -1, options, [&wakes] { wakes.wake(); });
    for (const FakeVcpu& vcpu : vcpus) {
      if (!guest.add(vcpu.fd, run_bytes).ok()) std::abort();
    }
    for (unsigned round = 0; round < 50 && !failed; ++round) {
      run_and_pause(guest, wakes, random, &seen);
    }
    serve(guest, &seen);
    if (seen != printed - before) fail("a byte of the console was lost, or told twice");
    // Stopped parked, running, or waiting for an answer that never comes; or ended by itself.
    may_run = true;
    may_end = random() % 2 == 0;
    if (random() % 3 != 0) guest.run(std::vector<bool>(vcpu_count));
    if (random() % 2 == 0) ::usleep(random() % 500);
    guest.stop();
    may_end = false;
  }
  close_files();
}

}  // namespace

int main(int count, char** arguments) {
  const int rounds = count > 1 ? std::atoi(arguments[1]) : 20;
  const unsigned seed = count > 2 ? static_cast<unsigned>(std::atoi(arguments[2])) : 1;
  std::mt19937 random(seed);
  for (int round = 0; round < rounds && !failed; ++round) live(random);
  if (failed) return 1;
  std::printf("%d guests ran and paused, seed %u\n", rounds, seed);
  return 0;
}
