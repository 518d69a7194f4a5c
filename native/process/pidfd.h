#pragma once

#include <memory>
#include <optional>

#include "../util/fd_object.h"
#include "../util/loop_watch.h"

namespace tdctl {

// A process that cannot be mistaken for another one with its number.
class Pidfd : public FdObject<Pidfd> {
 public:
  struct State {
    std::shared_ptr<FdHandle> handle;
  };
  static constexpr const char* name = "Pidfd";
  static constexpr const char* made_by = "Pidfd.open()";
  static constexpr napi_type_tag tag = {0x7464c7164, 0x10007};
  static Napi::FunctionReference& constructor(Environment& environment) {
    return environment.pidfd;
  }
  static Napi::Function define(Napi::Env env);
  static Napi::Value of(Napi::Env env, UniqueFd fd);

  explicit Pidfd(const Napi::CallbackInfo& info);
  ~Pidfd() override;

 private:
  friend FdObject;
  static Napi::Value open(const Napi::CallbackInfo& info);
  static Napi::Value of_peer(const Napi::CallbackInfo& info);
  Napi::Value ended(const Napi::CallbackInfo& info);
  Napi::Value signal(const Napi::CallbackInfo& info);
  Napi::Value close_watched(const Napi::CallbackInfo& info);
  // What is to be told to those who wait.
  std::optional<Napi::Promise::Deferred> stop_watching();

  std::shared_ptr<LoopWatch> watch_;
  std::optional<Napi::Promise::Deferred> ended_;
  KeptPromise promise_;
};

}  // namespace tdctl
