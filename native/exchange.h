#pragma once

#include <napi.h>

namespace tdctl {

// One request to a service on a socket, and its answer; exchange() of exchange.ts.
Napi::Value exchange(const Napi::CallbackInfo& info);

}  // namespace tdctl
