// All that the kernel keeps of a vCPU, out of one vCPU and into another.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "uapi/state.h"
#include "util/bytes_js.h"
#include "util/kernel.h"

namespace tdctl {

// The MSRs of one call, at most: no kernel lists a tenth of it.
inline constexpr std::uint32_t most_msrs = 4096;

// What there is of it on a host and in a VM: the caller has asked for the capabilities.
struct VcpuStateShape {
  // The MSRs to get.
  std::vector<std::uint32_t> msrs;
  // What KVM_CHECK_EXTENSION(KVM_CAP_XSAVE2) on the VM says; 0: KVM_GET_XSAVE.
  std::uint32_t xsave_bytes = 0;
  // KVM_CAP_SREGS2; else KVM_GET_SREGS.
  bool sregs2 = false;
  // Whether the VM's APICs are in the kernel.
  bool lapic = false;
  // KVM_CAP_GET_TSC_KHZ.
  bool tsc_khz = false;
  // KVM_CAP_VCPU_ATTRIBUTES.
  bool tsc_offset = false;
};

// Parts that the shape has not are empty.
struct VcpuState {
  std::uint32_t mp_state = 0;
  Bytes vcpu_events;
  uapi::kvm_regs regs = {};
  Bytes sregs;
  Bytes sregs2;
  Bytes xsave;
  Bytes xcrs;
  Bytes debugregs;
  Bytes lapic;
  std::vector<uapi::kvm_msr_entry> msrs;
  std::vector<std::uint32_t> refused_msrs;
  std::optional<std::uint32_t> tsc_khz;
  std::optional<std::uint64_t> tsc_offset;
};

Result<VcpuState> get_vcpu_state(const Kernel& kernel, int fd, const VcpuStateShape& shape);
// The MSRs that were refused.
Result<std::vector<std::uint32_t>> set_vcpu_state(const Kernel& kernel, int fd, VcpuState state);

Result<std::uint64_t> get_tsc_offset(const Kernel& kernel, int fd);
Result<Done> set_tsc_offset(const Kernel& kernel, int fd, std::uint64_t offset);

}  // namespace tdctl
