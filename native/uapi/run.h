// What a vCPU shares with whoever runs it: `struct kvm_run`, the exits that are looked into here.
// Source: include/uapi/linux/kvm.h, Linux 7.3.
#pragma once

#include <cstdint>

#include "kvm.h"

namespace tdctl::uapi {

struct kvm_run {
  std::uint8_t request_interrupt_window;
  std::uint8_t immediate_exit;
  std::uint8_t padding1[6];
  std::uint32_t exit_reason;
  std::uint8_t ready_for_interrupt_injection;
  std::uint8_t if_flag;
  std::uint16_t flags;
  std::uint64_t cr8;
  std::uint64_t apic_base;
  union {
    struct {
      std::uint64_t hardware_exit_reason;
    } hw;
    struct {
      std::uint64_t hardware_entry_failure_reason;
      std::uint32_t cpu;
    } fail_entry;
    struct {
      std::uint8_t direction;
      std::uint8_t size;
      std::uint16_t port;
      std::uint32_t count;
      std::uint64_t data_offset;
    } io;
    struct {
      std::uint64_t phys_addr;
      std::uint8_t data[8];
      std::uint32_t len;
      std::uint8_t is_write;
    } mmio;
    struct {
      std::uint64_t nr;
      std::uint64_t args[6];
      std::uint64_t ret;
      std::uint64_t flags;
    } hypercall;
    struct {
      std::uint32_t suberror;
      std::uint32_t ndata;
      std::uint64_t data[16];
    } internal;
    struct {
      std::uint32_t type;
      std::uint32_t ndata;
      std::uint64_t data[16];
    } system_event;
    struct {
      std::uint64_t flags;
      std::uint64_t gpa;
      std::uint64_t size;
    } memory_fault;
    struct {
      std::uint64_t flags;
      std::uint64_t nr;
      // get_quote: ret, gpa, size; get_tdvmcall_info: ret, leaf, r11 to r14;
      // setup_event_notify: ret, vector; unknown: ret and five more.
      std::uint64_t data[6];
    } tdx;
    std::uint8_t padding[256];
  };
  std::uint64_t kvm_valid_regs;
  std::uint64_t kvm_dirty_regs;
  std::uint8_t regs[2048];
};

// --- exit_reason ---
inline constexpr std::uint32_t kvm_exit_unknown = 0;
inline constexpr std::uint32_t kvm_exit_io = 2;
inline constexpr std::uint32_t kvm_exit_hypercall = 3;
inline constexpr std::uint32_t kvm_exit_hlt = 5;
inline constexpr std::uint32_t kvm_exit_mmio = 6;
inline constexpr std::uint32_t kvm_exit_irq_window_open = 7;
inline constexpr std::uint32_t kvm_exit_shutdown = 8;
inline constexpr std::uint32_t kvm_exit_fail_entry = 9;
inline constexpr std::uint32_t kvm_exit_intr = 10;
inline constexpr std::uint32_t kvm_exit_internal_error = 17;
inline constexpr std::uint32_t kvm_exit_system_event = 24;
inline constexpr std::uint32_t kvm_exit_ioapic_eoi = 26;
inline constexpr std::uint32_t kvm_exit_memory_fault = 39;
inline constexpr std::uint32_t kvm_exit_tdx = 40;

inline constexpr std::uint8_t kvm_exit_io_in = 0;
// A hypercall that nobody knows is answered with minus this (include/uapi/linux/kvm_para.h).
inline constexpr std::uint64_t kvm_enosys = 1000;

namespace request {
inline constexpr Request kvm_run{io(0x80), "KVM_RUN"};
}

}  // namespace tdctl::uapi
