// All that the kernel keeps of a VM but its memory and its vCPUs, out of one VM and into another.
#pragma once

#include <cstdint>
#include <vector>

#include "util/bytes_js.h"
#include "util/kernel.h"

namespace tdctl {

// KVM_IRQCHIP_PIC_MASTER, KVM_IRQCHIP_PIC_SLAVE, KVM_IRQCHIP_IOAPIC.
inline constexpr std::uint32_t chip_count = 3;

struct VmStateShape {
  bool irqchip = false;
  bool pit = false;
  bool clock = false;
};

// Parts that the shape has not are empty.
struct VmState {
  std::vector<Bytes> irqchips;
  Bytes pit;
  Bytes clock;
};

Result<VmState> get_vm_state(const Kernel& kernel, int fd, const VmStateShape& shape);
Result<Done> set_vm_state(const Kernel& kernel, int fd, VmState& state);

}  // namespace tdctl
