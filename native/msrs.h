// MSRs of a vCPU, many at a time.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "uapi/state.h"
#include "util/kernel.h"

namespace tdctl {

// KVM_GET_MSRS and KVM_SET_MSRS stop at the first MSR that is refused, and say how many came before: it is
// left out, and the rest goes on. What was refused is appended to `refused`.
Result<std::vector<uapi::kvm_msr_entry>> get_msrs(const Kernel& kernel, int fd,
                                                  std::span<const std::uint32_t> indices,
                                                  std::vector<std::uint32_t>* refused);
Result<Done> set_msrs(const Kernel& kernel, int fd, std::span<const uapi::kvm_msr_entry> entries,
                      std::vector<std::uint32_t>* refused);

// KVM_GET_MSR_INDEX_LIST on /dev/kvm.
Result<std::vector<std::uint32_t>> get_msr_index_list(const Kernel& kernel, int fd);

}  // namespace tdctl
