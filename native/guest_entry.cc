// Whether KVM has taken the vCPUs of a guest since it was run, and when.
#include <cerrno>
#include <utility>

#include "guest.h"
#include "util/js_error.h"
#include "util/task.h"

namespace tdctl {

namespace {

Failure refusal_of(const GuestVcpus::Entries& entries) {
  const Detail detail{"vcpu", static_cast<double>(entries.vcpu)};
  if (entries.error_number == 0) {
    Failure failure = refused(ESHUTDOWN, "vCPU " + std::to_string(entries.vcpu) +
                                             " could not be entered: its exit says why");
    failure.detail = detail;
    return failure;
  }
  return {.syscall = "ioctl",
          .subject = uapi::request::kvm_run.name,
          .error_number = entries.error_number,
          .detail = detail};
}

}  // namespace

Napi::Value Guest::entered(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (stopped_) return rejected(env, js_error(env, refused(EBADF, guest_is_stopped)));
  const auto deferred = Napi::Promise::Deferred::New(env);
  entries_.push_back(deferred);
  settle_entries(env);
  return deferred.Promise();
}

void Guest::settle_entries(Napi::Env env) {
  if (entries_.empty() || stopped_) return;
  const GuestVcpus::Entries entries = parts_->vcpus->watch_entries();
  if (entries.entry == VcpuThread::Entry::entered) {
    for (const auto& entry : std::exchange(entries_, {})) entry.Resolve(env.Undefined());
  } else if (entries.entry == VcpuThread::Entry::refused) {
    const Napi::Value error = js_error(env, refusal_of(entries)).Value();
    for (const auto& entry : std::exchange(entries_, {})) entry.Reject(error);
  } else if (!running_) {
    reject_entries(env, "the guest is paused, and not all of its vCPUs were entered since it ran");
  }
}

void Guest::reject_entries(Napi::Env env, const std::string& sentence) {
  for (const auto& entry : std::exchange(entries_, {})) {
    entry.Reject(js_error(env, refused(ECANCELED, sentence)).Value());
  }
}

Napi::Value Guest::times(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const VcpuThread::Times times = parts_->vcpus->times();
  const std::pair<const char*, std::int64_t> named[] = {
      {"parkedNs", times.parked}, {"enteredNs", times.entered}, {"exitedNs", times.exited}};
  Napi::Object object = Napi::Object::New(env);
  for (const auto& [name, time] : named) {
    if (time != 0) object.Set(name, Napi::BigInt::New(env, time));
  }
  return object;
}

}  // namespace tdctl
