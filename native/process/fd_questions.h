#pragma once

#include <napi.h>

namespace tdctl {

// Functions of process.ts about an fd of this process.
Napi::Value try_lock(const Napi::CallbackInfo& info);
Napi::Value lock_holder(const Napi::CallbackInfo& info);
Napi::Value peer_credentials(const Napi::CallbackInfo& info);

}  // namespace tdctl
