// What JS-visible classes share: made only from C++, recognised by a type tag.
//
// Such a class derives from Napi::ObjectWrap and has
//   using State = …;                                     what its constructor takes over
//   static constexpr const char* name;                   the JS class name
//   static constexpr napi_type_tag tag;
//   static Napi::FunctionReference& constructor(Environment&);
//   static const char* made_by;                          the method that makes one
#pragma once

#include <napi.h>

#include <optional>
#include <string>
#include <utility>

#include "environment.h"

namespace tdctl {

// Empty with an exception pending where the environment cannot run JS any more.
template <typename Class>
Napi::Value make(Napi::Env env, typename Class::State state) {
  Environment& environment = Environment::of(env);
  environment.construction = &state;
  const Napi::Object object = Class::constructor(environment).New({});
  environment.construction = nullptr;
  return object;
}

// For the constructor: marks `this` as ours and hands over the state. Nothing, with a TypeError
// pending, where JS called `new`.
template <typename Class>
std::optional<typename Class::State> begin_construction(const Napi::CallbackInfo& info) {
  void* construction = std::exchange(Environment::of(info.Env()).construction, nullptr);
  if (construction == nullptr) {
    Napi::TypeError::New(info.Env(), std::string(Class::name) + " has no public constructor: use " +
                                         Class::made_by)
        .ThrowAsJavaScriptException();
    return std::nullopt;
  }
  info.This().As<Napi::Object>().TypeTag(&Class::tag);
  return std::move(*static_cast<typename Class::State*>(construction));
}

// Null where the value is anything else.
template <typename Class>
Class* unwrap(Napi::Value value) {
  if (value.IsEmpty() || !value.IsObject()) return nullptr;
  const Napi::Object object = value.As<Napi::Object>();
  return object.CheckTypeTag(&Class::tag) ? Class::Unwrap(object) : nullptr;
}

}  // namespace tdctl
