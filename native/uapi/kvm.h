// The part of the KVM and TDX user space ABI that tdctl speaks, on x86-64. Own declarations: no
// distribution's <linux/kvm.h> has the TDX half yet. layout.cc holds every size, offset and
// number; against_system.cc compares with <linux/kvm.h> what that defines.
// Source: include/uapi/linux/kvm.h, arch/x86/include/uapi/asm/kvm.h, Linux 7.3.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tdctl::uapi {

inline constexpr std::uint64_t page_size = 4096;

// --- structs, by the kernel's names ---

struct kvm_cpuid_entry2 {
  std::uint32_t function;
  std::uint32_t index;
  std::uint32_t flags;
  std::uint32_t eax;
  std::uint32_t ebx;
  std::uint32_t ecx;
  std::uint32_t edx;
  std::uint32_t padding[3];
};

// The entries follow; ISO C++ has no flexible array member.
struct kvm_cpuid2 {
  std::uint32_t nent;
  std::uint32_t padding;
};

struct kvm_enable_cap {
  std::uint32_t cap;
  std::uint32_t flags;
  std::uint64_t args[4];
  std::uint8_t pad[64];
};

struct kvm_userspace_memory_region {
  std::uint32_t slot;
  std::uint32_t flags;
  std::uint64_t guest_phys_addr;
  std::uint64_t memory_size;
  std::uint64_t userspace_addr;
};

struct kvm_userspace_memory_region2 {
  std::uint32_t slot;
  std::uint32_t flags;
  std::uint64_t guest_phys_addr;
  std::uint64_t memory_size;
  std::uint64_t userspace_addr;
  std::uint64_t guest_memfd_offset;
  std::uint32_t guest_memfd;
  std::uint32_t pad1;
  std::uint64_t pad2[14];
};

struct kvm_create_guest_memfd {
  std::uint64_t size;
  std::uint64_t flags;
  std::uint64_t reserved[6];
};

// As posted with RFC v2 of linking guest_memfds (May 2025, 04/13); in no kernel.
struct kvm_link_guest_memfd {
  std::uint64_t fd;
  std::uint64_t flags;
  std::uint64_t reserved[6];
};

struct kvm_memory_attributes {
  std::uint64_t address;
  std::uint64_t size;
  std::uint64_t attributes;
  std::uint64_t flags;
};

// Posted with in-place conversion, v8, June 2026; in no kernel.
struct kvm_memory_attributes2 {
  std::uint64_t offset;
  std::uint64_t size;
  std::uint64_t attributes;
  std::uint64_t flags;
  std::uint64_t error_offset;
  std::uint64_t reserved[11];
};

struct kvm_tdx_cmd {
  std::uint32_t id;
  std::uint32_t flags;
  std::uint64_t data;
  // Must be 0 on the way in. Only INIT_VM and FINALIZE_VM write the command back (Linux 7.3).
  std::uint64_t hw_error;
};

struct kvm_tdx_capabilities {
  std::uint64_t supported_attrs;
  std::uint64_t supported_xfam;
  std::uint64_t kernel_tdvmcallinfo_1_r11;
  std::uint64_t user_tdvmcallinfo_1_r11;
  std::uint64_t kernel_tdvmcallinfo_1_r12;
  std::uint64_t user_tdvmcallinfo_1_r12;
  std::uint64_t reserved[250];
  kvm_cpuid2 cpuid;
};

struct kvm_tdx_init_vm {
  std::uint64_t attributes;
  std::uint64_t xfam;
  std::uint64_t mrconfigid[6];
  std::uint64_t mrowner[6];
  std::uint64_t mrownerconfig[6];
  std::uint64_t reserved[12];
  kvm_cpuid2 cpuid;
};

// The same of the patch series v7 to v9 (v9 020/105), which copy 16384 bytes at once: the entries lie
// inside, max_vcpus takes the place of xfam, and KVM reads XFAM off the entries of CPUID leaf 0xd.
struct kvm_tdx_init_vm_fixed {
  std::uint64_t attributes;
  std::uint32_t max_vcpus;
  std::uint32_t padding;
  std::uint64_t mrconfigid[6];
  std::uint64_t mrowner[6];
  std::uint64_t mrownerconfig[6];
  kvm_cpuid2 cpuid;
  kvm_cpuid_entry2 entries[405];
  std::uint64_t reserved[2];
};

struct kvm_tdx_init_mem_region {
  std::uint64_t source_addr;
  std::uint64_t gpa;
  std::uint64_t nr_pages;
};

inline constexpr std::uint32_t kvm_mem_guest_memfd = 1u << 2;
inline constexpr std::uint32_t kvm_cap_vm_move_enc_context_from = 206;
// KVM_MAX_CPUID_ENTRIES: kernel-internal, but the bound of every CPUID array it takes.
inline constexpr std::uint32_t kvm_max_cpuid_entries = 256;

// --- requests ---

// An ioctl with the name an error shows.
struct Request {
  unsigned long number;
  const char* name;
};

// asm-generic/ioctl.h: direction in bits 30..31, size in 16..29, type in 8..15, number in 0..7.
inline constexpr unsigned long kvmio = 0xAE;
inline constexpr unsigned long size_shift = 16;
inline constexpr unsigned long size_mask = 0x3FFF;

// The bytes that a request's number says its argument has.
constexpr std::size_t argument_bytes(const Request& request) {
  return request.number >> size_shift & size_mask;
}

constexpr unsigned long io(unsigned long number) { return kvmio << 8 | number; }
template <typename Argument>
constexpr unsigned long io_write(unsigned long number) {
  return 1ul << 30 | sizeof(Argument) << size_shift | io(number);
}
template <typename Argument>
constexpr unsigned long io_read_write(unsigned long number) {
  return 2ul << 30 | io_write<Argument>(number);
}

namespace request {
// on /dev/kvm
inline constexpr Request kvm_get_api_version{io(0x00), "KVM_GET_API_VERSION"};
inline constexpr Request kvm_create_vm{io(0x01), "KVM_CREATE_VM"};
inline constexpr Request kvm_get_vcpu_mmap_size{io(0x04), "KVM_GET_VCPU_MMAP_SIZE"};
inline constexpr Request kvm_get_supported_cpuid{io_read_write<kvm_cpuid2>(0x05),
                                                 "KVM_GET_SUPPORTED_CPUID"};
// on /dev/kvm and on a VM (KVM_CAP_CHECK_EXTENSION_VM)
inline constexpr Request kvm_check_extension{io(0x03), "KVM_CHECK_EXTENSION"};
// on a VM
inline constexpr Request kvm_create_vcpu{io(0x41), "KVM_CREATE_VCPU"};
inline constexpr Request kvm_set_user_memory_region{io_write<kvm_userspace_memory_region>(0x46),
                                                    "KVM_SET_USER_MEMORY_REGION"};
// KVM_CAP_USER_MEMORY2
inline constexpr Request kvm_set_user_memory_region2{io_write<kvm_userspace_memory_region2>(0x49),
                                                     "KVM_SET_USER_MEMORY_REGION2"};
// KVM_CAP_IRQCHIP
inline constexpr Request kvm_create_irqchip{io(0x60), "KVM_CREATE_IRQCHIP"};
// KVM_CAP_ENABLE_CAP_VM
inline constexpr Request kvm_enable_cap{io_write<uapi::kvm_enable_cap>(0xA3), "KVM_ENABLE_CAP"};
// KVM_CAP_MEMORY_ATTRIBUTES
inline constexpr Request kvm_set_memory_attributes{io_write<kvm_memory_attributes>(0xD2),
                                                   "KVM_SET_MEMORY_ATTRIBUTES"};
// KVM_CAP_GUEST_MEMFD
inline constexpr Request kvm_create_guest_memfd{io_read_write<uapi::kvm_create_guest_memfd>(0xD4),
                                                "KVM_CREATE_GUEST_MEMFD"};
// Posted with this number and, in another version, with 0xD5, which Linux 7.3 gives to another request.
inline constexpr Request kvm_link_guest_memfd{io_read_write<uapi::kvm_link_guest_memfd>(0xD6),
                                              "KVM_LINK_GUEST_MEMFD"};
// on a guest_memfd (KVM_CAP_GUEST_MEMFD_MEMORY_ATTRIBUTES)
inline constexpr Request kvm_set_memory_attributes2{
    io_read_write<kvm_memory_attributes2>(0xD2), "KVM_SET_MEMORY_ATTRIBUTES2"};
// on a VM (KVM_CAP_VM_TSC_CONTROL) and on a vCPU (KVM_CAP_TSC_CONTROL)
inline constexpr Request kvm_set_tsc_khz{io(0xA2), "KVM_SET_TSC_KHZ"};
// on a vCPU
inline constexpr Request kvm_set_cpuid2{io_write<kvm_cpuid2>(0x90), "KVM_SET_CPUID2"};
// on a VM and on a vCPU: the envelope of the TDX commands. The size in the number is that of an
// unsigned long; what the argument points to is a kvm_tdx_cmd.
inline constexpr Request kvm_memory_encrypt_op{io_read_write<unsigned long>(0xBA),
                                               "KVM_MEMORY_ENCRYPT_OP"};
}  // namespace request

// A sub-command of KVM_MEMORY_ENCRYPT_OP.
struct TdxCommand {
  std::uint32_t id;
  const char* name;
};

namespace tdx_command {
inline constexpr TdxCommand kvm_tdx_capabilities{0, "KVM_TDX_CAPABILITIES"};
inline constexpr TdxCommand kvm_tdx_init_vm{1, "KVM_TDX_INIT_VM"};
inline constexpr TdxCommand kvm_tdx_init_vcpu{2, "KVM_TDX_INIT_VCPU"};
inline constexpr TdxCommand kvm_tdx_init_mem_region{3, "KVM_TDX_INIT_MEM_REGION"};
inline constexpr TdxCommand kvm_tdx_finalize_vm{4, "KVM_TDX_FINALIZE_VM"};
inline constexpr TdxCommand kvm_tdx_get_cpuid{5, "KVM_TDX_GET_CPUID"};
// Posted as the next value of the enum, never merged: the number may come out different.
inline constexpr TdxCommand kvm_tdx_terminate_vm{6, "KVM_TDX_TERMINATE_VM"};
}  // namespace tdx_command

}  // namespace tdctl::uapi
