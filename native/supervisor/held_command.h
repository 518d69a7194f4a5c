// The JS object of a command whose calls another process answers. This one is its parent in all else: it starts it on
// its own terminal, waits for its end and ends it. supervisor.ts documents the methods.
#pragma once

#include <napi.h>

#include <memory>
#include <optional>

#include "../util/environment.h"
#include "../util/wrapped.h"
#include "launch.h"
#include "terminal.h"

namespace tdctl::supervisor {

class HeldCommand : public Napi::ObjectWrap<HeldCommand> {
 public:
  struct Holding {
    HeldClient client;
    TerminalState terminal = {};
  };
  struct State {
    std::unique_ptr<Holding> holding;
  };
  static constexpr const char* name = "HeldCommand";
  static constexpr const char* made_by = "Supervisor.hold()";
  static constexpr napi_type_tag tag = {0x7464c7164, 0x10009};
  static Napi::FunctionReference& constructor(Environment& environment) {
    return environment.held_command;
  }
  static Napi::Function define(Napi::Env env);

  explicit HeldCommand(const Napi::CallbackInfo& info);
  // What nobody waits for any more is ended.
  ~HeldCommand() override;

 private:
  Napi::Value get_pid(const Napi::CallbackInfo& info);
  Napi::Value pass(const Napi::CallbackInfo& info);
  Napi::Value command(const Napi::CallbackInfo& info);
  Napi::Value guard(const Napi::CallbackInfo& info);
  Napi::Value let_go(const Napi::CallbackInfo& info);
  Napi::Value hear(const Napi::CallbackInfo& info);
  Napi::Value look(const Napi::CallbackInfo& info);
  Napi::Value end_orphans(const Napi::CallbackInfo& info);
  Napi::Value signal(const Napi::CallbackInfo& info);
  Napi::Value end_all(const Napi::CallbackInfo& info);
  Napi::Value finish(const Napi::CallbackInfo& info);

  std::unique_ptr<Holding> holding_;
  bool is_finished_ = false;
};

}  // namespace tdctl::supervisor
