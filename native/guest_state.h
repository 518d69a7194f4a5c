// All that user space carries of a guest besides its memory, as one run of bytes: for another process that has the same
// layout, on the same machine.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "devices/ports.h"
#include "vcpu_state.h"
#include "vm_state.h"

namespace tdctl {

// Raised with each change of what is written, and of the structs in it.
inline constexpr std::uint32_t guest_state_layout = 1;

struct GuestState {
  VmState vm;
  std::vector<VcpuState> vcpus;
  DevicesState devices;
};

Bytes pack(const GuestState& state);
// Nothing where they are of another layout, or where a part has not the size that the kernel takes.
std::optional<GuestState> unpack(std::span<const std::byte> bytes);

}  // namespace tdctl
