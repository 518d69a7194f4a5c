#include "vcpu_exits.h"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <utility>

namespace tdctl {

namespace {

// Valid only with these two errnos (Documentation/virt/kvm/api.rst, KVM_EXIT_MEMORY_FAULT).
bool is_memory_fault(const Failure& failure, const uapi::kvm_run& run) {
  return (failure.error_number == EFAULT || failure.error_number == EHWPOISON) &&
         run.exit_reason == uapi::kvm_exit_memory_fault;
}

// What the guest gets where nobody answers.
void answer_as_absent(uapi::kvm_run& run) {
  switch (run.exit_reason) {
    case uapi::kvm_exit_mmio:
      if (run.mmio.is_write == 0) std::memset(run.mmio.data, 0xff, sizeof run.mmio.data);
      break;
    case uapi::kvm_exit_hypercall:
      run.hypercall.ret = -uapi::kvm_enosys;
      break;
    default:
      // KVM itself has put a refusal into the TDVMCALLs that it hands on.
      break;
  }
}

// What comes before the exit is not only this thread's: any may set immediate_exit.
void copy_exit(const uapi::kvm_run& run, uapi::kvm_run* into) {
  constexpr std::size_t from = offsetof(uapi::kvm_run, exit_reason);
  constexpr std::size_t to = offsetof(uapi::kvm_run, kvm_valid_regs);
  std::memcpy(reinterpret_cast<std::byte*>(into) + from,
              reinterpret_cast<const std::byte*>(&run) + from, to - from);
}

GuestEnd::Kind kind_of(const PortEnd& end) {
  switch (end.kind) {
    case PortEnd::Kind::power_off:
      return GuestEnd::Kind::power_off;
    case PortEnd::Kind::reset:
      return GuestEnd::Kind::reset;
    case PortEnd::Kind::debug_exit:
      break;
  }
  return GuestEnd::Kind::debug_exit;
}

GuestEnd::Kind kind_of(std::uint32_t exit_reason) {
  switch (exit_reason) {
    case uapi::kvm_exit_hlt:
      return GuestEnd::Kind::halted;
    case uapi::kvm_exit_shutdown:
      return GuestEnd::Kind::shutdown;
    case uapi::kvm_exit_fail_entry:
      return GuestEnd::Kind::fail_entry;
    case uapi::kvm_exit_internal_error:
      return GuestEnd::Kind::internal_error;
    case uapi::kvm_exit_system_event:
      return GuestEnd::Kind::system_event;
    default:
      return GuestEnd::Kind::unknown_exit;
  }
}

}  // namespace

GuestVcpus::GuestVcpus(Kernel kernel, int vm_fd, GuestOptions options, std::function<void()> wake)
    : kernel_(std::move(kernel)),
      vm_fd_(vm_fd),
      interrupt_(options.interrupt),
      apic_in_kernel_(options.apic_in_kernel),
      wake_(std::move(wake)),
      ports_(options.ports, [this](bool level) { interrupt(level); }, wake_) {}

Result<Done> GuestVcpus::add(int vcpu_fd, std::size_t run_bytes) {
  Result<std::unique_ptr<RunArea>> area = RunArea::map(vcpu_fd, run_bytes);
  if (!area.ok()) return std::move(area.failure());
  vcpus_.push_back(std::make_unique<VcpuThread>(kernel_, vcpu_fd,
                                                static_cast<std::uint32_t>(vcpus_.size()),
                                                std::move(area.value()), *this));
  if (const char* call = vcpus_.back()->start()) {
    return Failure{.syscall = call, .subject = "of a vCPU", .error_number = errno};
  }
  return Done{};
}

void GuestVcpus::run(const std::vector<bool>& changed) {
  const std::lock_guard lock(mutex_);
  if (stopped_ || end_) return;
  for (const auto& vcpu : vcpus_) {
    // Before, because it may be parked again by the time this returns.
    ++moving_;
    if (!vcpu->run(!apic_in_kernel_ && changed[vcpu->index()])) --moving_;
  }
}

bool GuestVcpus::pause() {
  const std::lock_guard lock(mutex_);
  for (const auto& vcpu : vcpus_) vcpu->pause();
  return moving_ == 0;
}

void GuestVcpus::stop() {
  {
    const std::lock_guard lock(mutex_);
    // From here on no vCPU says to another what is wanted, which may be gone.
    stopped_ = true;
    for (const auto& vcpu : vcpus_) vcpu->ask_to_stop();
  }
  for (const auto& vcpu : vcpus_) vcpu->join();
  last_times_ = times();
  vcpus_.clear();
}

GuestVcpus::Entries GuestVcpus::watch_entries() {
  using Entry = VcpuThread::Entry;
  const std::lock_guard lock(mutex_);
  Entry least = Entry::entered;
  for (const auto& vcpu : vcpus_) {
    const Entry entry = vcpu->watch_entry();
    if (entry == Entry::refused) return {entry, vcpu->index(), vcpu->refusal()};
    if (entry == Entry::calling) vcpu->ask_whether_entered();
    least = std::min(least, entry);
  }
  return {least};
}

VcpuThread::Times GuestVcpus::times() const {
  VcpuThread::Times last = last_times_;
  bool has_entered = true;
  for (const auto& vcpu : vcpus_) {
    const VcpuThread::Times of_one = vcpu->times();
    last.parked = std::max(last.parked, of_one.parked);
    has_entered = has_entered && of_one.entered != 0;
    if (of_one.entered > last.entered) {
      last.entered = of_one.entered;
      last.exited = of_one.exited;
    }
  }
  return has_entered ? last : VcpuThread::Times{.parked = last.parked};
}

GuestVcpus::Taken GuestVcpus::take() {
  Taken taken;
  const std::lock_guard lock(mutex_);
  taken.all_parked = moving_ == 0;
  taken.waiting.swap(waiting_);
  if (end_ && (taken.all_parked || stopped_) && !std::exchange(end_taken_, true)) taken.end = end_;
  // Last: what was written before a vCPU parked or asked is told before that.
  taken.console = ports_.console().take();
  taken.debug_console = ports_.debug_console().take();
  return taken;
}

void GuestVcpus::release(std::uint32_t vcpu) { vcpus_[vcpu]->release(); }

bool GuestVcpus::has_ended() {
  const std::lock_guard lock(mutex_);
  return end_.has_value();
}

void GuestVcpus::end(GuestEnd::Kind kind, std::uint32_t vcpu, std::uint32_t value) {
  const std::lock_guard lock(mutex_);
  if (stopped_ || end_) return;
  end_ = GuestEnd{.kind = kind, .vcpu = vcpu, .value = value};
  copy_exit(run_of(vcpu), &end_->run);
  for (const auto& each : vcpus_) each->pause();
}

void GuestVcpus::parked(VcpuThread&) {
  if (--moving_ > 0) return;
  notify_waiting();
  wake_();
}

void GuestVcpus::calls() { notify_waiting(); }

// The lock is taken between the change and the word of it, so that nobody looks before and sleeps after.
void GuestVcpus::notify_waiting() {
  { const std::lock_guard lock(rest_mutex_); }
  rest_.notify_all();
}

bool GuestVcpus::wait_for_rest(std::uint32_t within_ms) {
  std::unique_lock lock(rest_mutex_);
  return rest_.wait_for(lock, within_ms, [this] { return are_parked(); });
}

bool GuestVcpus::wait_for_calls(std::uint32_t within_ms) {
  std::unique_lock lock(rest_mutex_);
  return rest_.wait_for(lock, within_ms, [this] {
    return std::ranges::all_of(vcpus_, [](const auto& vcpu) { return vcpu->has_called(); });
  });
}

void GuestVcpus::exited(VcpuThread& vcpu, const Failure* failure) {
  exits_.fetch_add(1, std::memory_order_relaxed);
  const std::uint32_t reason = vcpu.area().run().exit_reason;
  if (failure != nullptr) {
    if (is_memory_fault(*failure, vcpu.area().run())) {
      // EHWPOISON: the page is damaged, and no conversion mends that.
      if (failure->error_number == EFAULT) return hand_on(vcpu);
      return end(GuestEnd::Kind::memory_fault, vcpu.index());
    }
    return end(GuestEnd::Kind::run_failed, vcpu.index(),
               static_cast<std::uint32_t>(failure->error_number));
  }
  switch (reason) {
    case uapi::kvm_exit_io:
      return answer_port(vcpu);
    case uapi::kvm_exit_mmio:
    case uapi::kvm_exit_hypercall:
    case uapi::kvm_exit_tdx:
      return hand_on(vcpu);
    case uapi::kvm_exit_intr:
    case uapi::kvm_exit_irq_window_open:
    case uapi::kvm_exit_ioapic_eoi:
      return;
    default:
      return end(kind_of(reason), vcpu.index());
  }
}

void GuestVcpus::answer_port(VcpuThread& vcpu) {
  const auto io = vcpu.area().run().io;
  std::byte* data = vcpu.area().data(io.data_offset, std::uint64_t{io.size} * io.count);
  if (data == nullptr || io.size > sizeof(std::uint32_t)) {
    return end(GuestEnd::Kind::unknown_exit, vcpu.index());
  }
  for (std::uint32_t at = 0; at < io.count; ++at, data += io.size) {
    std::uint32_t value = 0;
    if (io.direction == uapi::kvm_exit_io_in) {
      value = ports_.read(io.port, io.size);
      std::memcpy(data, &value, io.size);
      continue;
    }
    std::memcpy(&value, data, io.size);
    if (const auto ended = ports_.write(io.port, io.size, value)) {
      return end(kind_of(*ended), vcpu.index(), ended->value);
    }
  }
}

void GuestVcpus::hand_on(VcpuThread& vcpu) {
  handed_on_.fetch_add(1, std::memory_order_relaxed);
  answer_as_absent(vcpu.area().run());
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) return;
    waiting_.push_back(vcpu.index());
  }
  wake_();
  vcpu.wait_for_release();
}

// A wire has a level, which the kernel does not give with its interrupt controllers. A message was sent when
// the level rose: it has arrived, and is in their state.
void GuestVcpus::set_devices(const DevicesState& state) {
  const bool level = ports_.set_state(state);
  if (interrupt_.kind == GuestInterrupt::Kind::line) interrupt(level);
}

void GuestVcpus::interrupt(bool level) {
  // Nobody is there to hear of a refusal: the guest misses an interrupt, as with a loose wire.
  if (interrupt_.kind == GuestInterrupt::Kind::line) {
    uapi::kvm_irq_level line{interrupt_.line, level ? 1u : 0u};
    static_cast<void>(kernel_.ioctl(vm_fd_, uapi::request::kvm_irq_line, &line));
  } else if (interrupt_.kind == GuestInterrupt::Kind::msi && level) {
    uapi::kvm_msi msi = interrupt_.msi;
    static_cast<void>(kernel_.ioctl(vm_fd_, uapi::request::kvm_signal_msi, &msi));
  }
}

}  // namespace tdctl
