// The vCPUs of a guest on their threads, and what their exits mean: the hot ones are answered here, the
// others wait for whoever takes them. Without Node.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "devices/ports.h"
#include "uapi/run.h"
#include "uapi/state.h"
#include "util/monotonic_condition.h"
#include "vcpu_thread.h"

namespace tdctl {

// Why a guest has ended. The first reason is the one.
struct GuestEnd {
  enum class Kind : std::uint8_t {
    power_off,
    reset,
    debug_exit,
    halted,
    shutdown,
    fail_entry,
    internal_error,
    system_event,
    memory_fault,
    unknown_exit,
    run_failed,
  };
  Kind kind;
  std::uint32_t vcpu;
  // debug_exit: what was written; run_failed: the errno.
  std::uint32_t value = 0;
  // The exit, for its fields; nothing else of kvm_run.
  uapi::kvm_run run = {};
};

// How the interrupt of COM1 gets to the guest.
struct GuestInterrupt {
  enum class Kind : std::uint8_t { none, line, msi };
  Kind kind = Kind::none;
  std::uint32_t line = 0;
  uapi::kvm_msi msi = {};
};

struct GuestOptions {
  PortOptions ports;
  GuestInterrupt interrupt;
  bool apic_in_kernel = false;
};

class GuestVcpus final : public VcpuThread::Exits {
 public:
  struct Counts {
    std::uint64_t exits = 0;
    std::uint64_t handed_on = 0;
  };
  // What has come up since the last take().
  struct Taken {
    ConsoleBuffer::Taken console;
    ConsoleBuffer::Taken debug_console;
    // The vCPUs that wait for an answer: kvm_run is the taker's until release().
    std::vector<std::uint32_t> waiting;
    bool all_parked = false;
    // Once all are parked.
    std::optional<GuestEnd> end;
  };

  // `wake` is called by any thread when there is something to take().
  GuestVcpus(Kernel kernel, int vm_fd, GuestOptions options, std::function<void()> wake);
  ~GuestVcpus() { stop(); }

  // Maps and starts one vCPU, parked. All of them before the first run().
  Result<Done> add(int vcpu_fd, std::size_t run_bytes);

  // Those below are for one thread, that of the taker.

  // `changed` has a bit for each vCPU: whether its state may have been set since it ran last.
  void run(const std::vector<bool>& changed);
  // True where all are parked already. Otherwise take() will say so.
  bool pause();
  // Waits until all are parked, after pause(); false where that takes longer. take() says so all the same.
  bool wait_for_rest(std::uint32_t within_ms);
  // Waits until each has come to KVM_RUN, after run(); false where that takes longer.
  bool wait_for_calls(std::uint32_t within_ms);
  // Waits for the threads to end, which wait for nobody; and unmaps what they shared with the kernel.
  void stop();
  // What became of the last run(): refused where one vCPU was, and entered where all have. Otherwise a wake
  // follows, and those that KVM may have taken are asked to show it.
  struct Entries {
    VcpuThread::Entry entry;
    // Where one was refused: which, and as VcpuThread::refusal().
    std::uint32_t vcpu = 0;
    int error_number = 0;
  };
  Entries watch_entries();
  // When the last vCPU had parked, when the last one entered KVM_RUN, and when that one came back from it.
  VcpuThread::Times times() const;
  // None runs, and nothing more comes up but what take() has not told yet.
  bool are_parked() const { return moving_ == 0; }
  Taken take();
  void release(std::uint32_t vcpu);

  uapi::kvm_run& run_of(std::uint32_t vcpu) { return vcpus_[vcpu]->area().run(); }
  // The first end that is told stays.
  void end(GuestEnd::Kind kind, std::uint32_t vcpu, std::uint32_t value = 0);
  std::size_t receive(std::span<const std::byte> bytes) { return ports_.receive(bytes); }
  // While all are parked.
  DevicesState devices() { return ports_.state(); }
  void set_devices(const DevicesState& state);
  Counts counts() const { return {exits_, handed_on_}; }
  bool has_ended();

 private:
  void exited(VcpuThread& vcpu, const Failure* failure) override;
  void parked(VcpuThread& vcpu) override;
  void came_further() override { wake_(); }
  void calls() override;
  void notify_waiting();
  void answer_port(VcpuThread& vcpu);
  void hand_on(VcpuThread& vcpu);
  void interrupt(bool level);

  const Kernel kernel_;
  const int vm_fd_;
  const GuestInterrupt interrupt_;
  const bool apic_in_kernel_;
  const std::function<void()> wake_;
  Ports ports_;
  std::atomic<std::uint64_t> exits_ = 0;
  std::atomic<std::uint64_t> handed_on_ = 0;
  // vCPUs that are not parked.
  std::atomic<std::uint32_t> moving_ = 0;

  // Held to say to the vCPUs what is wanted, and for what follows.
  std::mutex mutex_;
  bool stopped_ = false;
  std::optional<GuestEnd> end_;
  bool end_taken_ = false;
  std::vector<std::uint32_t> waiting_;

  // For whoever waits in wait_for_rest() and wait_for_calls().
  std::mutex rest_mutex_;
  MonotonicCondition rest_;

  std::vector<std::unique_ptr<VcpuThread>> vcpus_;
  // Once they are gone.
  VcpuThread::Times last_times_;
};

}  // namespace tdctl
