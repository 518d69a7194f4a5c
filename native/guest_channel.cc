#include "guest_channel.h"

#include <utility>

#include "util/task.h"

namespace tdctl {

std::shared_ptr<GuestChannel> GuestChannel::make(Napi::Env env) {
  auto channel = std::make_shared<GuestChannel>();
  auto* shared = new std::shared_ptr<GuestChannel>(channel);
  const Napi::String resource = Napi::String::New(env, "tdctl guest");
  if (napi_create_threadsafe_function(env, nullptr, nullptr, resource, 0, 1, shared,
                                      &GuestChannel::finalize, shared, &GuestChannel::call_js,
                                      &channel->function_) != napi_ok) {
    delete shared;
    Napi::Error::New(env, "no thread-safe function").ThrowAsJavaScriptException();
    return nullptr;
  }
  napi_unref_threadsafe_function(env, channel->function_);
  return channel;
}

void GuestChannel::wake() {
  if (woken_.exchange(true)) return;
  const std::lock_guard lock(mutex_);
  if (function_ != nullptr) {
    napi_call_threadsafe_function(function_, nullptr, napi_tsfn_nonblocking);
  }
}

void GuestChannel::keep_alive(Napi::Env env, bool wanted) {
  if (function_ == nullptr) return;
  if (wanted) {
    napi_ref_threadsafe_function(env, function_);
  } else {
    napi_unref_threadsafe_function(env, function_);
  }
}

void GuestChannel::close() {
  receiver_ = nullptr;
  const std::lock_guard lock(mutex_);
  if (function_ != nullptr) {
    napi_release_threadsafe_function(std::exchange(function_, nullptr), napi_tsfn_abort);
  }
}

// `env` is null while the environment is torn down, and `context` may be gone by then.
void GuestChannel::call_js(napi_env env, napi_value, void* context, void*) {
  if (env == nullptr) return;
  const std::shared_ptr<GuestChannel> channel =
      *static_cast<std::shared_ptr<GuestChannel>*>(context);
  // Before what has come up is taken: what comes later wakes again.
  channel->woken_ = false;
  if (!channel->receiver_ || !can_run_js(env)) return;
  const Napi::HandleScope scope(env);
  // A copy: it may be closed on the way.
  const auto receiver = channel->receiver_;
  receiver(Napi::Env(env));
}

void GuestChannel::finalize(napi_env, void* data, void*) {
  const std::unique_ptr<std::shared_ptr<GuestChannel>> shared(
      static_cast<std::shared_ptr<GuestChannel>*>(data));
  const std::lock_guard lock((*shared)->mutex_);
  (*shared)->function_ = nullptr;
}

}  // namespace tdctl
