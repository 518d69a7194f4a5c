#pragma once

#include <memory>

#include "../util/fd_object.h"

namespace tdctl {

// An fd that came from another process: what it is of, its receiver has been told.
class PassedFd : public FdObject<PassedFd> {
 public:
  struct State {
    std::shared_ptr<FdHandle> handle;
  };
  static constexpr const char* name = "PassedFd";
  static constexpr const char* made_by = "channel.receive()";
  static constexpr napi_type_tag tag = {0x7464c7164, 0x10008};
  static Napi::FunctionReference& constructor(Environment& environment) {
    return environment.passed_fd;
  }
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, name,
                       {fd_property(), close_method(), InstanceMethod<&PassedFd::take>("take")});
  }

  explicit PassedFd(const Napi::CallbackInfo& info) : FdObject(info) {
    if (auto state = begin_construction<PassedFd>(info)) take_handle(std::move(state->handle));
  }

 private:
  friend FdObject;

  Napi::Value take(const Napi::CallbackInfo& info) {
    Arguments arguments(info, nullptr);
    if (handle()->is_closed()) arguments.closed_mistake("the fd");
    if (handle()->calls_in_flight() > 0) arguments.busy_mistake("the fd is being passed on");
    if (arguments.is_wrong()) return thrown(arguments.mistake());
    return Napi::Number::New(info.Env(), handle()->release());
  }
};

}  // namespace tdctl
