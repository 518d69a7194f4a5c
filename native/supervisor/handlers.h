// Brings the loop's events to the JS thread.
#pragma once

#include <napi.h>
#include <uv.h>

#include <atomic>
#include <cstdint>
#include <memory>

#include "loop.h"

namespace tdctl::supervisor {

// Lives until the last event was told, or the environment ends; it keeps the process alive so long.
class Handlers {
 public:
  // `handlers` has the functions of SupervisorHandlers (addon.ts). Null, with an exception pending,
  // where one is missing.
  static Handlers* make(Napi::Env env, Napi::Object handlers);

  // Keeps the object that the handlers answer with, which JS may have let go of.
  void keep(Napi::Object supervisor);
  // Whose calls they answer; before its first event.
  void serve(std::weak_ptr<Loop> loop) { loop_ = std::move(loop); }

  // By any thread. After EndedEvent nothing more is told.
  void tell(Event event);
  // By the JS thread, where no EndedEvent will come.
  void abandon();

 private:
  Handlers() = default;

  static void call_js(napi_env env, napi_value, void* context, void* data);
  static void finalize(napi_env, void* data, void*);
  void dispatch(Napi::Env env, const Event& event);
  void report_thrown(Napi::Env env, CallNumber call);
  // After the handler of a call: owns the call, where the handler did not answer it.
  void after_call(Napi::Env env, Loop& loop, CallNumber call);
  void linger(Loop& loop);

  Napi::FunctionReference opened_;
  Napi::FunctionReference ioctl_;
  Napi::FunctionReference fallocate_;
  Napi::FunctionReference interrupted_;
  Napi::FunctionReference closed_;
  Napi::FunctionReference out_of_reach_;
  Napi::FunctionReference unserved_;
  Napi::FunctionReference exited_;
  Napi::FunctionReference guard_lost_;
  Napi::FunctionReference ended_;
  Napi::ObjectReference supervisor_;
  Napi::FunctionReference failed_;
  napi_threadsafe_function function_ = nullptr;
  std::weak_ptr<Loop> loop_;
  // Of the JS thread.
  bool is_abandoned_ = false;
  // Told of any command of this process, and not dispatched yet: who lingers keeps all others waiting.
  static std::atomic<std::uint32_t> queued;
  uv_loop_t* event_loop_ = nullptr;
  // The turn of the JS thread's event loop in which calls were last answered, and since when.
  std::uint64_t turn_ = 0;
  Loop::Clock::time_point turn_began_ = {};
};

}  // namespace tdctl::supervisor
