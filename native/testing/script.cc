#include "script.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <utility>

#include "../uapi/kvm.h"
#include "../uapi/run.h"
#include "../uapi/state.h"

namespace tdctl::testing {

namespace {

std::span<std::byte> memory_at(unsigned long address, std::size_t length) {
  return {reinterpret_cast<std::byte*>(address), length};
}

std::size_t with_entries(std::size_t header, const uapi::kvm_cpuid2& cpuid) {
  return header + cpuid.nent * sizeof(uapi::kvm_cpuid_entry2);
}

// The struct behind an argument, as far as the kernel would read it; empty for a value.
std::span<std::byte> argument_of(unsigned long request, unsigned long argument) {
  namespace known = uapi::request;
  if (request == known::kvm_memory_encrypt_op.number) {
    return memory_at(argument, sizeof(uapi::kvm_tdx_cmd));
  }
  if (request == known::kvm_set_cpuid2.number || request == known::kvm_get_supported_cpuid.number) {
    const auto& cpuid = *reinterpret_cast<const uapi::kvm_cpuid2*>(argument);
    return memory_at(argument, with_entries(sizeof cpuid, cpuid));
  }
  if (request == known::kvm_get_msrs.number || request == known::kvm_set_msrs.number) {
    const auto& msrs = *reinterpret_cast<const uapi::kvm_msrs*>(argument);
    return memory_at(argument, sizeof msrs + msrs.nmsrs * sizeof(uapi::kvm_msr_entry));
  }
  if (request == known::kvm_get_msr_index_list.number) {
    const auto& list = *reinterpret_cast<const uapi::kvm_msr_list*>(argument);
    return memory_at(argument, sizeof list + list.nmsrs * sizeof list.nmsrs);
  }
  return memory_at(argument, request >> uapi::size_shift & uapi::size_mask);
}

// What the data of a TDX command or a device attribute points to; empty for a value.
std::span<std::byte> data_of(unsigned long request, unsigned long argument) {
  if (request == uapi::request::kvm_get_device_attr.number ||
      request == uapi::request::kvm_set_device_attr.number) {
    return memory_at(reinterpret_cast<const uapi::kvm_device_attr*>(argument)->addr,
                     sizeof(std::uint64_t));
  }
  if (request != uapi::request::kvm_memory_encrypt_op.number) return {};
  namespace known = uapi::tdx_command;
  const auto& cmd = *reinterpret_cast<const uapi::kvm_tdx_cmd*>(argument);
  switch (cmd.id) {
    case known::kvm_tdx_capabilities.id: {
      const auto& caps = *reinterpret_cast<const uapi::kvm_tdx_capabilities*>(cmd.data);
      return memory_at(cmd.data, with_entries(sizeof caps, caps.cpuid));
    }
    case known::kvm_tdx_init_vm.id: {
      const auto& init = *reinterpret_cast<const uapi::kvm_tdx_init_vm*>(cmd.data);
      return memory_at(cmd.data, with_entries(sizeof init, init.cpuid));
    }
    case known::kvm_tdx_init_mem_region.id:
      return memory_at(cmd.data, sizeof(uapi::kvm_tdx_init_mem_region));
    case known::kvm_tdx_get_cpuid.id: {
      const auto& cpuid = *reinterpret_cast<const uapi::kvm_cpuid2*>(cmd.data);
      return memory_at(cmd.data, with_entries(sizeof cpuid, cpuid));
    }
    default:
      return {};
  }
}

std::vector<std::byte> copy_of(std::span<const std::byte> bytes) {
  return {bytes.begin(), bytes.end()};
}

// Never past the end of what the caller lent.
void write_back(const std::vector<std::byte>& bytes, std::span<std::byte> target) {
  std::copy_n(bytes.begin(), std::min(bytes.size(), target.size()), target.begin());
}

// The file of a vCPU: kvm_run, and a page for the data of port I/O.
constexpr std::size_t run_area_bytes = 2 * 4096;

std::vector<std::byte> read_run_area(int fd) {
  std::array<std::byte, run_area_bytes> area;
  const ssize_t length = ::pread(fd, area.data(), area.size(), 0);
  return {area.begin(), area.begin() + std::max<ssize_t>(length, 0)};
}

void write_file(int fd, const std::vector<std::byte>& bytes) {
  // A file that takes nothing is a mistake of the test, which sees what it reads there.
  if (!bytes.empty() && ::pwrite(fd, bytes.data(), bytes.size(), 0) < 0) return;
}

// As KVM does (xfer_to_guest_mode_handle_work).
void leave_interrupted(int fd) {
  const std::uint32_t reason = uapi::kvm_exit_intr;
  if (::pwrite(fd, &reason, sizeof reason, offsetof(uapi::kvm_run, exit_reason)) < 0) return;
}

int make_file(Answer::File file) {
  if (file == Answer::File::null) return ::open("/dev/null", O_RDWR | O_CLOEXEC);
  const int fd = ::memfd_create("tdctl-test", MFD_CLOEXEC);
  if (fd >= 0 && ::ftruncate(fd, run_area_bytes) != 0) return -1;
  return fd;
}

bool is_kicked(int fd) {
  std::uint8_t immediate_exit = 0;
  return ::pread(fd, &immediate_exit, 1, offsetof(uapi::kvm_run, immediate_exit)) == 1 &&
         immediate_exit != 0;
}

}  // namespace

int Script::ioctl(void* context, int fd, unsigned long request, unsigned long argument) {
  return static_cast<Script*>(context)->answer(fd, request, argument);
}

int Script::answer(int fd, unsigned long request, unsigned long argument) {
  const bool is_run = request == uapi::request::kvm_run.number;
  std::vector<std::byte> run_area;
  if (is_run) run_area = read_run_area(fd);
  const std::span<std::byte> argument_bytes =
      is_run ? std::span<std::byte>(run_area) : argument_of(request, argument);
  const std::span<std::byte> data_bytes = data_of(request, argument);

  std::unique_lock lock(mutex_);
  const bool expected = next_ < answers_.size() && answers_[next_].request == request;
  calls_.push_back(
      {fd, request, expected, argument, copy_of(argument_bytes), copy_of(data_bytes)});
  if (!expected) {
    errno = ENOSYS;
    return -1;
  }
  const Answer answer = answers_[next_++];
  if (answer.hold && !wait_for_release(lock, is_run ? fd : -1)) {
    if (is_run) leave_interrupted(fd);
    errno = EINTR;
    return -1;
  }
  lock.unlock();

  write_back(answer.data, data_bytes);
  write_back(answer.argument, argument_bytes);
  write_file(fd, answer.memory);
  if (answer.error_number != 0) {
    errno = answer.error_number;
    return -1;
  }
  return answer.file == Answer::File::none ? answer.returns : make_file(answer.file);
}

// Not for ever: a test that fails before its release must not hang the process at exit.
bool Script::wait_for_release(std::unique_lock<std::mutex>& lock, int kicked_fd) {
  using std::chrono::milliseconds;
  constexpr milliseconds longest(10'000);
  constexpr milliseconds look(1);
  for (milliseconds waited(0); waited < longest && releases_ == 0; waited += look) {
    if (kicked_fd >= 0 && is_kicked(kicked_fd)) return false;
    // The clock of which every C library has a wait (util/runtime.cc).
    released_.wait_until(lock, std::chrono::system_clock::now() + look, [this] { return releases_ > 0; });
  }
  if (releases_ > 0) --releases_;
  return true;
}

std::vector<Call> Script::calls() {
  const std::lock_guard lock(mutex_);
  return calls_;
}

void Script::release() {
  {
    const std::lock_guard lock(mutex_);
    ++releases_;
  }
  released_.notify_one();
}

}  // namespace tdctl::testing
