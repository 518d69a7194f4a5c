// The JS object: launches a command under supervision, tells its handlers what the programs ask,
// and carries the answers back. addon.ts documents the methods.
#pragma once

#include <napi.h>

#include <memory>
#include <optional>

#include "../util/environment.h"
#include "../util/wrapped.h"
#include "loop.h"

namespace tdctl::supervisor {

class Handlers;

class Supervisor : public Napi::ObjectWrap<Supervisor> {
 public:
  struct State {
    std::shared_ptr<Loop> loop;
    Handlers* handlers;
  };
  static constexpr const char* name = "Supervisor";
  static constexpr const char* made_by = "Supervisor.launch()";
  static constexpr napi_type_tag tag = {0x7464c7164, 0x10005};
  static Napi::FunctionReference& constructor(Environment& environment) {
    return environment.supervisor;
  }
  static Napi::Function define(Napi::Env env);

  explicit Supervisor(const Napi::CallbackInfo& info);
  ~Supervisor() override;

 private:
  static Napi::Value launch(const Napi::CallbackInfo& info);
  static Napi::Value hold(const Napi::CallbackInfo& info);
  static Napi::Value adopt(const Napi::CallbackInfo& info);
  // Answers the calls of a client, from now on.
  static Napi::Value serve(Napi::Env env, HeldClient client, ConstantAnswers constants,
                           Napi::Object handlers);
  Napi::Value get_pid(const Napi::CallbackInfo& info);
  Napi::Value answer(const Napi::CallbackInfo& info);
  Napi::Value refuse(const Napi::CallbackInfo& info);
  Napi::Value let_through(const Napi::CallbackInfo& info);
  Napi::Value install(const Napi::CallbackInfo& info);
  Napi::Value keep(const Napi::CallbackInfo& info);
  Napi::Value is_waiting(const Napi::CallbackInfo& info);
  Napi::Value has_descriptor(const Napi::CallbackInfo& info);
  Napi::Value find_file(const Napi::CallbackInfo& info);
  Napi::Value read_memory(const Napi::CallbackInfo& info);
  Napi::Value until_signal(const Napi::CallbackInfo& info);
  Napi::Value has_signal(const Napi::CallbackInfo& info);
  Napi::Value write_memory(const Napi::CallbackInfo& info);
  Napi::Value signal(const Napi::CallbackInfo& info);
  Napi::Value end_all(const Napi::CallbackInfo& info);
  Napi::Value stop(const Napi::CallbackInfo& info);
  Napi::Value answer_by_itself(const Napi::CallbackInfo& info);

  // The call that argument 0 names, while it waits; nothing, with a TypeError where it is no number.
  std::optional<Call> waiting_call(const Napi::CallbackInfo& info, CallNumber* number);
  // An answer to the call that argument 0 names.
  template <typename Sender>
  Napi::Value send(const Napi::CallbackInfo& info, Sender sender);

  std::shared_ptr<Loop> loop_;
  // Null once they were abandoned.
  Handlers* handlers_ = nullptr;
};

}  // namespace tdctl::supervisor
