#pragma once

#include <napi.h>

namespace tdctl::testing {

// The `testing` object of the addon; see Testing in addon.ts.
Napi::Object exports(Napi::Env env);

}  // namespace tdctl::testing
