// Brings the loop's events to the JS thread.
#pragma once

#include <napi.h>

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
  // By any thread. After EndedEvent nothing more is told.
  void tell(Event event);
  // By the JS thread, where no EndedEvent will come.
  void abandon();

 private:
  explicit Handlers(Napi::Object handlers);

  static void call_js(napi_env env, napi_value, void* context, void* data);
  static void finalize(napi_env, void* data, void*);
  void dispatch(Napi::Env env, const Event& event);

  Napi::FunctionReference opened_;
  Napi::FunctionReference ioctl_;
  Napi::FunctionReference interrupted_;
  Napi::FunctionReference closed_;
  Napi::FunctionReference out_of_reach_;
  Napi::FunctionReference unserved_;
  Napi::FunctionReference exited_;
  Napi::FunctionReference guard_lost_;
  Napi::FunctionReference ended_;
  Napi::ObjectReference supervisor_;
  napi_threadsafe_function function_ = nullptr;
};

}  // namespace tdctl::supervisor
