#pragma once

#include <napi.h>

#include "result.h"

namespace tdctl {

// The JS Error of a failure: `syscall`, `errno`, `code`, and where they apply `request`,
// `hwStatus`, `path` and the detail. The shape is NativeError in addon.ts.
Napi::Error js_error(Napi::Env env, const Failure& failure);

// Leaves the error to be thrown when the call returns, with this as its value.
Napi::Value thrown(const Napi::Error& error);

}  // namespace tdctl
