// The state of a vCPU and of its VM: what the ioctls that get and set it move. Structs that nobody here
// looks into are their bytes.
// Source: include/uapi/linux/kvm.h, arch/x86/include/uapi/asm/kvm.h, Linux 7.3.
#pragma once

#include <cstdint>

#include "kvm.h"

namespace tdctl::uapi {

template <std::size_t size_bytes>
struct alignas(8) Opaque {
  std::uint8_t bytes[size_bytes];
};

struct kvm_regs {
  std::uint64_t rax, rbx, rcx, rdx, rsi, rdi, rsp, rbp;
  std::uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
  std::uint64_t rip, rflags;
};

struct kvm_sregs : Opaque<312> {};
inline constexpr std::size_t sregs_cr8_at = 256;
struct kvm_sregs2 : Opaque<320> {};
// At least: KVM_CAP_XSAVE2 says how much a VM's vCPUs have.
struct kvm_xsave : Opaque<4096> {};
// KVM_GET_XSAVE2 and KVM_SET_XSAVE move as much as that, whatever room the caller has: every buffer for
// them has this much, three times what the largest features (AMX, AVX-512) take.
inline constexpr std::size_t xsave_room_bytes = 32 * 1024;
struct kvm_xcrs : Opaque<392> {};
struct kvm_vcpu_events : Opaque<64> {};
struct kvm_debugregs : Opaque<128> {};
struct kvm_lapic_state : Opaque<1024> {};

struct kvm_mp_state {
  std::uint32_t mp_state;
};

struct kvm_msr_entry {
  std::uint32_t index;
  std::uint32_t reserved;
  std::uint64_t data;
};

// The entries follow; in C++ the flexible arrays of older headers have a size.
struct kvm_msrs {
  std::uint32_t nmsrs;
  std::uint32_t pad;
};

// The indices follow.
struct kvm_msr_list {
  std::uint32_t nmsrs;
};

struct kvm_device_attr {
  std::uint32_t flags;
  std::uint32_t group;
  std::uint64_t attr;
  std::uint64_t addr;
};

// KVM_VCPU_TSC_CTRL and its one attribute, the difference of guest and host TSC.
inline constexpr std::uint32_t kvm_vcpu_tsc_ctrl = 0;
inline constexpr std::uint64_t kvm_vcpu_tsc_offset = 0;

inline constexpr std::uint32_t msr_ia32_tsc = 0x10;

struct kvm_clock_data {
  std::uint64_t clock;
  std::uint32_t flags;
  std::uint32_t pad0;
  std::uint64_t realtime;
  std::uint64_t host_tsc;
  std::uint32_t pad[4];
};

struct kvm_irqchip {
  std::uint32_t chip_id;
  std::uint32_t pad;
  std::uint8_t chip[512];
};

struct kvm_pit_config {
  std::uint32_t flags;
  std::uint32_t pad[15];
};

struct kvm_pit_state2 : Opaque<112> {};

struct kvm_irq_level {
  std::uint32_t irq;
  std::uint32_t level;
};

struct kvm_msi {
  std::uint32_t address_lo;
  std::uint32_t address_hi;
  std::uint32_t data;
  std::uint32_t flags;
  std::uint32_t devid;
  std::uint8_t pad[12];
};

template <typename Argument>
constexpr unsigned long io_read(unsigned long number) {
  return 2ul << 30 | sizeof(Argument) << size_shift | io(number);
}

namespace request {
// on /dev/kvm
inline constexpr Request kvm_get_msr_index_list{io_read_write<kvm_msr_list>(0x02),
                                                "KVM_GET_MSR_INDEX_LIST"};
// on a VM
inline constexpr Request kvm_irq_line{io_write<kvm_irq_level>(0x61), "KVM_IRQ_LINE"};
inline constexpr Request kvm_get_irqchip{io_read_write<kvm_irqchip>(0x62), "KVM_GET_IRQCHIP"};
// The kernel has the direction of this one the wrong way round.
inline constexpr Request kvm_set_irqchip{io_read<kvm_irqchip>(0x63), "KVM_SET_IRQCHIP"};
inline constexpr Request kvm_create_pit2{io_write<kvm_pit_config>(0x77), "KVM_CREATE_PIT2"};
inline constexpr Request kvm_set_clock{io_write<kvm_clock_data>(0x7B), "KVM_SET_CLOCK"};
inline constexpr Request kvm_get_clock{io_read<kvm_clock_data>(0x7C), "KVM_GET_CLOCK"};
inline constexpr Request kvm_get_pit2{io_read<kvm_pit_state2>(0x9F), "KVM_GET_PIT2"};
inline constexpr Request kvm_set_pit2{io_write<kvm_pit_state2>(0xA0), "KVM_SET_PIT2"};
inline constexpr Request kvm_signal_msi{io_write<kvm_msi>(0xA5), "KVM_SIGNAL_MSI"};
// on a VM and on a vCPU
inline constexpr Request kvm_get_tsc_khz{io(0xA3), "KVM_GET_TSC_KHZ"};
// on a vCPU
inline constexpr Request kvm_get_regs{io_read<kvm_regs>(0x81), "KVM_GET_REGS"};
inline constexpr Request kvm_set_regs{io_write<kvm_regs>(0x82), "KVM_SET_REGS"};
inline constexpr Request kvm_get_sregs{io_read<kvm_sregs>(0x83), "KVM_GET_SREGS"};
inline constexpr Request kvm_set_sregs{io_write<kvm_sregs>(0x84), "KVM_SET_SREGS"};
inline constexpr Request kvm_get_msrs{io_read_write<kvm_msrs>(0x88), "KVM_GET_MSRS"};
inline constexpr Request kvm_set_msrs{io_write<kvm_msrs>(0x89), "KVM_SET_MSRS"};
inline constexpr Request kvm_get_lapic{io_read<kvm_lapic_state>(0x8E), "KVM_GET_LAPIC"};
inline constexpr Request kvm_set_lapic{io_write<kvm_lapic_state>(0x8F), "KVM_SET_LAPIC"};
inline constexpr Request kvm_get_mp_state{io_read<kvm_mp_state>(0x98), "KVM_GET_MP_STATE"};
inline constexpr Request kvm_set_mp_state{io_write<kvm_mp_state>(0x99), "KVM_SET_MP_STATE"};
inline constexpr Request kvm_get_vcpu_events{io_read<kvm_vcpu_events>(0x9F),
                                             "KVM_GET_VCPU_EVENTS"};
inline constexpr Request kvm_set_vcpu_events{io_write<kvm_vcpu_events>(0xA0),
                                             "KVM_SET_VCPU_EVENTS"};
inline constexpr Request kvm_get_debugregs{io_read<kvm_debugregs>(0xA1), "KVM_GET_DEBUGREGS"};
inline constexpr Request kvm_set_debugregs{io_write<kvm_debugregs>(0xA2), "KVM_SET_DEBUGREGS"};
inline constexpr Request kvm_get_xsave{io_read<kvm_xsave>(0xA4), "KVM_GET_XSAVE"};
// Takes as many bytes as KVM_GET_XSAVE2 gives, whatever its number says.
inline constexpr Request kvm_set_xsave{io_write<kvm_xsave>(0xA5), "KVM_SET_XSAVE"};
inline constexpr Request kvm_get_xcrs{io_read<kvm_xcrs>(0xA6), "KVM_GET_XCRS"};
inline constexpr Request kvm_set_xcrs{io_write<kvm_xcrs>(0xA7), "KVM_SET_XCRS"};
inline constexpr Request kvm_get_sregs2{io_read<kvm_sregs2>(0xCC), "KVM_GET_SREGS2"};
inline constexpr Request kvm_set_sregs2{io_write<kvm_sregs2>(0xCD), "KVM_SET_SREGS2"};
inline constexpr Request kvm_get_xsave2{io_read<kvm_xsave>(0xCF), "KVM_GET_XSAVE2"};
inline constexpr Request kvm_set_device_attr{io_write<kvm_device_attr>(0xE1),
                                             "KVM_SET_DEVICE_ATTR"};
inline constexpr Request kvm_get_device_attr{io_write<kvm_device_attr>(0xE2),
                                             "KVM_GET_DEVICE_ATTR"};
}  // namespace request

}  // namespace tdctl::uapi
