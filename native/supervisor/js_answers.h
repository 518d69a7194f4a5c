// What the supervisor's methods answer where they cannot do as they were told.
#pragma once

#include <napi.h>

#include "../util/arguments.h"
#include "../util/errno_name.h"

namespace tdctl::supervisor {

// {errno, code}
inline Napi::Object refusal(Napi::Env env, int error) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("errno", error);
  object.Set("code", errno_name(error));
  return object;
}

// Throws the first mistake in the arguments.
inline Napi::Value mistake(Arguments& arguments) {
  arguments.mistake().ThrowAsJavaScriptException();
  return {};
}

}  // namespace tdctl::supervisor
