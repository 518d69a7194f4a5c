#pragma once

#include <napi.h>

#include "uapi/run.h"
#include "util/arguments.h"
#include "vcpu_exits.h"

namespace tdctl {

// GuestExit, GuestEnd and GuestAnswer of guest.ts.
Napi::Value exit_to_js(Napi::Env env, const uapi::kvm_run& run);
Napi::Value end_to_js(Napi::Env env, const GuestEnd& end);
// Puts an answer into kvm_run, or nothing where it is none or a mistake. True: a memory fault is mended.
bool apply_answer(Arguments& arguments, Napi::Value answer, uapi::kvm_run& run);

}  // namespace tdctl
