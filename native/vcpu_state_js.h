#pragma once

#include <napi.h>

#include "util/arguments.h"
#include "vcpu_state.h"

namespace tdctl {

// Regs, MsrEntry[], VcpuStateShape and VcpuState of addon.ts.
Napi::Value regs_to_js(Napi::Env env, const uapi::kvm_regs& regs);
uapi::kvm_regs read_regs(Arguments& arguments, Napi::Value value, const std::string& name);
VcpuStateShape read_state_shape(Arguments& arguments, Napi::Value value);
Napi::Value state_to_js(Napi::Env env, const VcpuState& state);
VcpuState read_state(Arguments& arguments, Napi::Value value);
Napi::Value uint32s_to_js(Napi::Env env, const std::vector<std::uint32_t>& numbers);

}  // namespace tdctl
