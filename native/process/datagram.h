#pragma once

#include <napi.h>

namespace tdctl {

// sendDatagram() of process.ts.
Napi::Value send_datagram(const Napi::CallbackInfo& info);

}  // namespace tdctl
