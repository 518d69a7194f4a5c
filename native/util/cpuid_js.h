#pragma once

#include <napi.h>

#include <span>

#include "../uapi/kvm.h"

namespace tdctl {

// An array of CpuidEntry (src/abi/kvm/structs.ts).
Napi::Array cpuid_to_js(Napi::Env env, std::span<const uapi::kvm_cpuid_entry2> entries);

}  // namespace tdctl
