// Scripted answers in place of the kernel. Reached from JS only through `testing.script()`.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <vector>

namespace tdctl::testing {

struct Answer {
  unsigned long request = 0;
  int returns = 0;
  // A new file in place of a number.
  enum class File : std::uint8_t { none, null, memory };
  File file = File::none;
  int error_number = 0;
  // Written back over the start of the argument, and of what kvm_tdx_cmd.data points to.
  std::vector<std::byte> argument;
  std::vector<std::byte> data;
  // Written over the start of the fd's file: the kvm_run of a vCPU.
  std::vector<std::byte> memory;
  bool hold = false;
};

struct Call {
  int fd;
  unsigned long request;
  bool expected;
  unsigned long value;
  std::vector<std::byte> argument;
  std::vector<std::byte> data;
};

class Script {
 public:
  explicit Script(std::vector<Answer> answers) : answers_(std::move(answers)) {}

  // An IoctlFunction; the context is a Script.
  static int ioctl(void* context, int fd, unsigned long request, unsigned long argument);

  std::vector<Call> calls();
  void release();

 private:
  int answer(int fd, unsigned long request, unsigned long argument);
  // False: a kick came first, which is for KVM_RUN only.
  bool wait_for_release(std::unique_lock<std::mutex>& lock, int kicked_fd);

  std::mutex mutex_;
  std::condition_variable released_;
  std::uint32_t releases_ = 0;
  std::vector<Answer> answers_;
  std::size_t next_ = 0;
  std::vector<Call> calls_;
};

}  // namespace tdctl::testing
