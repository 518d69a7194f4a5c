// Compares kvm.h with the system's own header, for every name that header knows. Compiles to
// nothing; where they disagree the build stops.
#if __has_include(<linux/kvm.h>)

#include <linux/kvm.h>

#include <cstddef>

#include "kvm.h"
#include "run.h"
#include "state.h"

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

// The state of a vCPU and of its VM, and what it shares while it runs.
SAME_SIZE(kvm_regs);
SAME_FIELD(kvm_regs, rsp);
SAME_FIELD(kvm_regs, r8);
SAME_FIELD(kvm_regs, rip);
SAME_SIZE(kvm_sregs);
static_assert(offsetof(::kvm_sregs, cr8) == ours::sregs_cr8_at);
SAME_SIZE(kvm_xcrs);
SAME_SIZE(kvm_vcpu_events);
SAME_SIZE(kvm_debugregs);
SAME_SIZE(kvm_lapic_state);
SAME_SIZE(kvm_mp_state);
SAME_SIZE(kvm_msr_entry);
SAME_FIELD(kvm_msr_entry, data);
SAME_SIZE(kvm_device_attr);
SAME_FIELD(kvm_device_attr, addr);
SAME_SIZE(kvm_clock_data);
SAME_SIZE(kvm_irqchip);
SAME_SIZE(kvm_pit_config);
SAME_SIZE(kvm_pit_state2);
SAME_SIZE(kvm_irq_level);
SAME_SIZE(kvm_msi);
SAME_NUMBER(KVM_IRQ_LINE, kvm_irq_line);
SAME_NUMBER(KVM_GET_IRQCHIP, kvm_get_irqchip);
SAME_NUMBER(KVM_SET_IRQCHIP, kvm_set_irqchip);
SAME_NUMBER(KVM_CREATE_PIT2, kvm_create_pit2);
SAME_NUMBER(KVM_GET_CLOCK, kvm_get_clock);
SAME_NUMBER(KVM_SET_CLOCK, kvm_set_clock);
SAME_NUMBER(KVM_GET_PIT2, kvm_get_pit2);
SAME_NUMBER(KVM_SET_PIT2, kvm_set_pit2);
SAME_NUMBER(KVM_SIGNAL_MSI, kvm_signal_msi);
SAME_NUMBER(KVM_GET_TSC_KHZ, kvm_get_tsc_khz);
SAME_NUMBER(KVM_RUN, kvm_run);
SAME_NUMBER(KVM_GET_REGS, kvm_get_regs);
SAME_NUMBER(KVM_SET_REGS, kvm_set_regs);
SAME_NUMBER(KVM_GET_SREGS, kvm_get_sregs);
SAME_NUMBER(KVM_SET_SREGS, kvm_set_sregs);
SAME_BUT_FOR_SIZE(KVM_GET_MSRS, kvm_get_msrs);
SAME_BUT_FOR_SIZE(KVM_SET_MSRS, kvm_set_msrs);
SAME_BUT_FOR_SIZE(KVM_GET_MSR_INDEX_LIST, kvm_get_msr_index_list);
SAME_NUMBER(KVM_GET_LAPIC, kvm_get_lapic);
SAME_NUMBER(KVM_SET_LAPIC, kvm_set_lapic);
SAME_NUMBER(KVM_GET_MP_STATE, kvm_get_mp_state);
SAME_NUMBER(KVM_SET_MP_STATE, kvm_set_mp_state);
SAME_NUMBER(KVM_GET_VCPU_EVENTS, kvm_get_vcpu_events);
SAME_NUMBER(KVM_SET_VCPU_EVENTS, kvm_set_vcpu_events);
SAME_NUMBER(KVM_GET_DEBUGREGS, kvm_get_debugregs);
SAME_NUMBER(KVM_SET_DEBUGREGS, kvm_set_debugregs);
SAME_BUT_FOR_SIZE(KVM_GET_XSAVE, kvm_get_xsave);
SAME_BUT_FOR_SIZE(KVM_SET_XSAVE, kvm_set_xsave);
SAME_NUMBER(KVM_GET_XCRS, kvm_get_xcrs);
SAME_NUMBER(KVM_SET_XCRS, kvm_set_xcrs);
SAME_NUMBER(KVM_SET_DEVICE_ATTR, kvm_set_device_attr);
SAME_NUMBER(KVM_GET_DEVICE_ATTR, kvm_get_device_attr);

SAME_FIELD(kvm_run, immediate_exit);
SAME_FIELD(kvm_run, exit_reason);
SAME_FIELD(kvm_run, cr8);
SAME_FIELD(kvm_run, fail_entry.cpu);
SAME_FIELD(kvm_run, io.direction);
SAME_FIELD(kvm_run, io.size);
SAME_FIELD(kvm_run, io.port);
SAME_FIELD(kvm_run, io.count);
SAME_FIELD(kvm_run, io.data_offset);
SAME_FIELD(kvm_run, mmio.phys_addr);
SAME_FIELD(kvm_run, mmio.data);
SAME_FIELD(kvm_run, mmio.len);
SAME_FIELD(kvm_run, mmio.is_write);
SAME_FIELD(kvm_run, hypercall.nr);
SAME_FIELD(kvm_run, hypercall.args);
SAME_FIELD(kvm_run, hypercall.ret);
SAME_FIELD(kvm_run, internal.suberror);
SAME_FIELD(kvm_run, internal.ndata);
SAME_FIELD(kvm_run, internal.data);
SAME_FIELD(kvm_run, system_event.type);
static_assert(KVM_EXIT_IO == ours::kvm_exit_io && KVM_EXIT_HYPERCALL == ours::kvm_exit_hypercall &&
              KVM_EXIT_HLT == ours::kvm_exit_hlt && KVM_EXIT_MMIO == ours::kvm_exit_mmio &&
              KVM_EXIT_SHUTDOWN == ours::kvm_exit_shutdown &&
              KVM_EXIT_FAIL_ENTRY == ours::kvm_exit_fail_entry &&
              KVM_EXIT_INTR == ours::kvm_exit_intr &&
              KVM_EXIT_INTERNAL_ERROR == ours::kvm_exit_internal_error &&
              KVM_EXIT_SYSTEM_EVENT == ours::kvm_exit_system_event);

#ifdef KVM_GET_SREGS2  // Linux 5.14
SAME_SIZE(kvm_sregs2);
SAME_NUMBER(KVM_GET_SREGS2, kvm_get_sregs2);
SAME_NUMBER(KVM_SET_SREGS2, kvm_set_sregs2);
#endif
#ifdef KVM_GET_XSAVE2  // Linux 5.17
SAME_BUT_FOR_SIZE(KVM_GET_XSAVE2, kvm_get_xsave2);
#endif
#ifdef KVM_VCPU_TSC_CTRL  // Linux 5.16
static_assert(KVM_VCPU_TSC_CTRL == ours::kvm_vcpu_tsc_ctrl &&
              KVM_VCPU_TSC_OFFSET == ours::kvm_vcpu_tsc_offset);
#endif
#ifdef KVM_EXIT_MEMORY_FAULT  // Linux 6.8
static_assert(KVM_EXIT_MEMORY_FAULT == ours::kvm_exit_memory_fault);
SAME_FIELD(kvm_run, memory_fault.gpa);
SAME_FIELD(kvm_run, memory_fault.size);
#endif
#ifdef KVM_EXIT_TDX  // Linux 6.16
static_assert(KVM_EXIT_TDX == ours::kvm_exit_tdx);
SAME_FIELD(kvm_run, tdx.nr);
#endif

#endif  // __has_include(<linux/kvm.h>)
