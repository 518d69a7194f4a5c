#include "js_error.h"

#include <cinttypes>
#include <cstdio>
#include <string>
#include <string_view>

#include "errno_name.h"

namespace tdctl {

namespace {

// `KVM_CREATE_VM: EINVAL`, `open /dev/kvm: EACCES`, `the memory is closed`.
std::string message_of(const Failure& failure, const std::string& code) {
  const std::string_view syscall = failure.syscall;
  std::string message;
  if (syscall == "ioctl") message = failure.subject + ": ";
  if (!syscall.empty() && syscall != "ioctl") {
    message = failure.syscall + (" " + failure.subject) + ": ";
  }
  message += failure.sentence.empty() ? code : failure.sentence;
  if (failure.hw_error != 0) {
    char status[19];
    std::snprintf(status, sizeof status, "0x%016" PRIX64, failure.hw_error);
    message += std::string(" (TDX status ") + status + ")";
  }
  return message;
}

}  // namespace

Napi::Error js_error(Napi::Env env, const Failure& failure) {
  const std::string code = errno_name(failure.error_number);
  Napi::Error error = Napi::Error::New(env, message_of(failure, code));
  Napi::Object object = error.Value();
  const std::string_view syscall = failure.syscall;
  if (!syscall.empty()) object.Set("syscall", failure.syscall);
  object.Set("errno", failure.error_number);
  object.Set("code", code);
  if (syscall == "ioctl") object.Set("request", failure.subject);
  if (syscall == "open") object.Set("path", failure.subject);
  if (failure.hw_error != 0) {
    object.Set("hwStatus", Napi::BigInt::New(env, failure.hw_error));
  }
  if (failure.detail) object.Set(failure.detail->name, failure.detail->value);
  return error;
}

Napi::Value thrown(const Napi::Error& error) {
  error.ThrowAsJavaScriptException();
  return {};
}

}  // namespace tdctl
