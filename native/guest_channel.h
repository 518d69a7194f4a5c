// Wakes the JS thread for a guest. It carries nothing: what has come up waits at GuestVcpus, so a thousand
// bytes of console are one wake.
#pragma once

#include <napi.h>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>

namespace tdctl {

// Node may finalize the thread-safe function before what is queued for it is called with no environment, or
// after, and the guest's object may go before either: so all of them share this.
class GuestChannel {
 public:
  // Null, with an exception pending, where there can be none. It does not keep the process alive.
  static std::shared_ptr<GuestChannel> make(Napi::Env env);

  // By any thread.
  void wake();

  // The rest is for the JS thread.

  // Called for a wake, or for several, while JS can run.
  void serve(std::function<void(Napi::Env)> receiver) { receiver_ = std::move(receiver); }
  void keep_alive(Napi::Env env, bool wanted);
  // No wake is served any more.
  void close();

 private:
  static void call_js(napi_env env, napi_value, void* context, void*);
  static void finalize(napi_env, void* data, void*);

  std::mutex mutex_;
  // Null once closed or finalized.
  napi_threadsafe_function function_ = nullptr;
  std::atomic<bool> woken_ = false;
  std::function<void(Napi::Env)> receiver_;
};

}  // namespace tdctl
