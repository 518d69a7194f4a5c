#include "kernel.h"

#include <sys/ioctl.h>

#include <cerrno>
#include <utility>

namespace tdctl {

namespace {

int real_ioctl(void*, int fd, unsigned long request, unsigned long argument) {
  return ::ioctl(fd, request, argument);
}

}  // namespace

Kernel::Kernel() : function_(real_ioctl) {}

Kernel::Kernel(IoctlFunction function, std::shared_ptr<void> context)
    : function_(function), context_(std::move(context)) {}

Result<int> Kernel::ioctl(int fd, const uapi::Request& request, unsigned long value) const {
  const int answer = function_(context_.get(), fd, request.number, value);
  if (answer < 0) return Failure{.subject = request.name, .error_number = errno};
  return answer;
}

Result<int> Kernel::tdx(int fd, const uapi::TdxCommand& command, std::uint32_t flags,
                        std::uint64_t data) const {
  // A fresh command every time: a hw_error left over from the last answer would be EINVAL.
  uapi::kvm_tdx_cmd cmd{.id = command.id, .flags = flags, .data = data, .hw_error = 0};
  Result<int> answer = ioctl(fd, uapi::request::kvm_memory_encrypt_op, &cmd);
  if (!answer.ok()) {
    answer.failure().subject = command.name;
    answer.failure().hw_error = cmd.hw_error;
  }
  return answer;
}

Result<UniqueFd> as_fd(Result<int> answer) {
  if (!answer.ok()) return std::move(answer.failure());
  return UniqueFd(answer.value());
}

Result<Done> as_done(Result<int> answer) {
  if (!answer.ok()) return std::move(answer.failure());
  return Done{};
}

}  // namespace tdctl
