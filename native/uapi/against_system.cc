// Compares kvm.h with the system's own header, for every name that header knows. Compiles to
// nothing; where they disagree the build stops.
#if __has_include(<linux/kvm.h>)

#include <linux/kvm.h>

#include <cstddef>

#include "kvm.h"

namespace ours = tdctl::uapi;

#define SAME_NUMBER(theirs, name) static_assert((theirs) == ours::request::name.number, #theirs)
#define SAME_SIZE(type) static_assert(sizeof(::type) == sizeof(ours::type), #type)
#define SAME_FIELD(type, field)                                                  \
  static_assert(offsetof(::type, field) == offsetof(ours::type, field) &&        \
                    sizeof(::type::field) == sizeof(ours::type::field),          \
                #type "." #field)

// In C++ the headers of Linux 6.1 (Debian 12) give kvm_cpuid2 four bytes too many (the empty struct
// in __DECLARE_FLEX_ARRAY has a size there), and so every request number made from it the wrong
// size. Where that struct takes part, all but the size is compared.
constexpr unsigned long without_size(unsigned long number) {
  return number & ~(ours::size_mask << ours::size_shift);
}
#define SAME_BUT_FOR_SIZE(theirs, name) \
  static_assert(without_size(theirs) == without_size(ours::request::name.number), #theirs)
#define SAME_OFFSET(type, field) \
  static_assert(offsetof(::type, field) == offsetof(ours::type, field), #type "." #field)

// In every header still in use.
SAME_NUMBER(KVM_GET_API_VERSION, kvm_get_api_version);
SAME_NUMBER(KVM_CREATE_VM, kvm_create_vm);
SAME_NUMBER(KVM_CHECK_EXTENSION, kvm_check_extension);
SAME_NUMBER(KVM_GET_VCPU_MMAP_SIZE, kvm_get_vcpu_mmap_size);
SAME_BUT_FOR_SIZE(KVM_GET_SUPPORTED_CPUID, kvm_get_supported_cpuid);
SAME_NUMBER(KVM_CREATE_VCPU, kvm_create_vcpu);
SAME_NUMBER(KVM_SET_USER_MEMORY_REGION, kvm_set_user_memory_region);
SAME_NUMBER(KVM_CREATE_IRQCHIP, kvm_create_irqchip);
SAME_BUT_FOR_SIZE(KVM_SET_CPUID2, kvm_set_cpuid2);
SAME_NUMBER(KVM_SET_TSC_KHZ, kvm_set_tsc_khz);
SAME_NUMBER(KVM_ENABLE_CAP, kvm_enable_cap);
#ifdef KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM  // Linux 5.17
static_assert(KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM == tdctl::uapi::kvm_cap_vm_move_enc_context_from);
#endif

SAME_SIZE(kvm_cpuid_entry2);
SAME_FIELD(kvm_cpuid_entry2, function);
SAME_FIELD(kvm_cpuid_entry2, index);
SAME_FIELD(kvm_cpuid_entry2, flags);
SAME_FIELD(kvm_cpuid_entry2, eax);
SAME_FIELD(kvm_cpuid_entry2, ebx);
SAME_FIELD(kvm_cpuid_entry2, ecx);
SAME_FIELD(kvm_cpuid_entry2, edx);

SAME_FIELD(kvm_cpuid2, nent);

SAME_SIZE(kvm_enable_cap);
SAME_FIELD(kvm_enable_cap, cap);
SAME_FIELD(kvm_enable_cap, flags);
SAME_FIELD(kvm_enable_cap, args);

SAME_SIZE(kvm_userspace_memory_region);
SAME_FIELD(kvm_userspace_memory_region, slot);
SAME_FIELD(kvm_userspace_memory_region, flags);
SAME_FIELD(kvm_userspace_memory_region, guest_phys_addr);
SAME_FIELD(kvm_userspace_memory_region, memory_size);
SAME_FIELD(kvm_userspace_memory_region, userspace_addr);

#ifdef KVM_MEMORY_ENCRYPT_OP  // Linux 4.16
SAME_NUMBER(KVM_MEMORY_ENCRYPT_OP, kvm_memory_encrypt_op);
#endif

#ifdef KVM_SET_USER_MEMORY_REGION2  // Linux 6.8
SAME_NUMBER(KVM_SET_USER_MEMORY_REGION2, kvm_set_user_memory_region2);
SAME_SIZE(kvm_userspace_memory_region2);
SAME_FIELD(kvm_userspace_memory_region2, slot);
SAME_FIELD(kvm_userspace_memory_region2, flags);
SAME_FIELD(kvm_userspace_memory_region2, guest_phys_addr);
SAME_FIELD(kvm_userspace_memory_region2, memory_size);
SAME_FIELD(kvm_userspace_memory_region2, userspace_addr);
SAME_FIELD(kvm_userspace_memory_region2, guest_memfd_offset);
SAME_FIELD(kvm_userspace_memory_region2, guest_memfd);
#endif

#ifdef KVM_MEM_GUEST_MEMFD  // Linux 6.8
static_assert(KVM_MEM_GUEST_MEMFD == ours::kvm_mem_guest_memfd);
#endif

#ifdef KVM_SET_MEMORY_ATTRIBUTES  // Linux 6.8
SAME_NUMBER(KVM_SET_MEMORY_ATTRIBUTES, kvm_set_memory_attributes);
SAME_SIZE(kvm_memory_attributes);
SAME_FIELD(kvm_memory_attributes, address);
SAME_FIELD(kvm_memory_attributes, size);
SAME_FIELD(kvm_memory_attributes, attributes);
SAME_FIELD(kvm_memory_attributes, flags);
#endif

#ifdef KVM_CREATE_GUEST_MEMFD  // Linux 6.8
SAME_NUMBER(KVM_CREATE_GUEST_MEMFD, kvm_create_guest_memfd);
SAME_SIZE(kvm_create_guest_memfd);
SAME_FIELD(kvm_create_guest_memfd, size);
SAME_FIELD(kvm_create_guest_memfd, flags);
SAME_FIELD(kvm_create_guest_memfd, reserved);
#endif

// The TDX commands are an enum, which the preprocessor cannot see; the VM type came with them.
#ifdef KVM_X86_TDX_VM  // Linux 6.16
#define SAME_COMMAND(theirs, name) \
  static_assert(static_cast<unsigned>(theirs) == ours::tdx_command::name.id, #theirs)

SAME_COMMAND(KVM_TDX_CAPABILITIES, kvm_tdx_capabilities);
SAME_COMMAND(KVM_TDX_INIT_VM, kvm_tdx_init_vm);
SAME_COMMAND(KVM_TDX_INIT_VCPU, kvm_tdx_init_vcpu);
SAME_COMMAND(KVM_TDX_INIT_MEM_REGION, kvm_tdx_init_mem_region);
SAME_COMMAND(KVM_TDX_FINALIZE_VM, kvm_tdx_finalize_vm);
SAME_COMMAND(KVM_TDX_GET_CPUID, kvm_tdx_get_cpuid);

SAME_SIZE(kvm_tdx_cmd);
SAME_FIELD(kvm_tdx_cmd, id);
SAME_FIELD(kvm_tdx_cmd, flags);
SAME_FIELD(kvm_tdx_cmd, data);
SAME_FIELD(kvm_tdx_cmd, hw_error);

SAME_FIELD(kvm_tdx_capabilities, supported_attrs);
SAME_FIELD(kvm_tdx_capabilities, supported_xfam);
SAME_OFFSET(kvm_tdx_capabilities, cpuid);

SAME_FIELD(kvm_tdx_init_vm, attributes);
SAME_FIELD(kvm_tdx_init_vm, xfam);
SAME_FIELD(kvm_tdx_init_vm, mrconfigid);
SAME_FIELD(kvm_tdx_init_vm, mrowner);
SAME_FIELD(kvm_tdx_init_vm, mrownerconfig);
SAME_OFFSET(kvm_tdx_init_vm, cpuid);

SAME_SIZE(kvm_tdx_init_mem_region);
SAME_FIELD(kvm_tdx_init_mem_region, source_addr);
SAME_FIELD(kvm_tdx_init_mem_region, gpa);
SAME_FIELD(kvm_tdx_init_mem_region, nr_pages);
#endif

#endif  // __has_include(<linux/kvm.h>)
