// A value, or why there is none. Carried from a worker thread to the JS thread; js_error.cc is the
// one place that turns a Failure into a JS Error.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace tdctl {

// A number that belongs to one kind of failure, shown as a property of the error.
struct Detail {
  const char* name;
  double value;
};

struct Failure {
  // Empty where no system call was made: an object was closed before.
  const char* syscall = "ioctl";
  // The request of an ioctl, the path of an open, the size of an mmap.
  std::string subject;
  int error_number = 0;
  // kvm_tdx_cmd.hw_error as the kernel left it: 0 unless a SEAMCALL status was written back.
  std::uint64_t hw_error = 0;
  // Said after the subject, in place of the bare name of the errno.
  std::string sentence = {};
  std::optional<Detail> detail = {};
};

// Where no system call was made: `sentence` says why.
inline Failure refused(int error_number, std::string sentence) {
  return {.syscall = "",
          .subject = {},
          .error_number = error_number,
          .sentence = std::move(sentence)};
}

// Nothing to return but success.
struct Done {};

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Failure failure) : state_(std::in_place_index<1>, std::move(failure)) {}

  bool ok() const { return state_.index() == 0; }
  T& value() { return *std::get_if<0>(&state_); }
  Failure& failure() { return *std::get_if<1>(&state_); }
  const Failure& failure() const { return *std::get_if<1>(&state_); }

 private:
  std::variant<T, Failure> state_;
};

}  // namespace tdctl
