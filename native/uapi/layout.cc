// Every size, offset and number of kvm.h, as computed from the headers of Linux 7.3 on x86-64.
#include "kvm.h"
#include "layout.h"

namespace tdctl::uapi {

HAS_SIZE(kvm_cpuid_entry2, 40);
IS_AT(kvm_cpuid_entry2, function, 0);
IS_AT(kvm_cpuid_entry2, index, 4);
IS_AT(kvm_cpuid_entry2, flags, 8);
IS_AT(kvm_cpuid_entry2, eax, 12);
IS_AT(kvm_cpuid_entry2, ebx, 16);
IS_AT(kvm_cpuid_entry2, ecx, 20);
IS_AT(kvm_cpuid_entry2, edx, 24);
IS_AT(kvm_cpuid_entry2, padding, 28);

HAS_SIZE(kvm_cpuid2, 8);
IS_AT(kvm_cpuid2, nent, 0);
IS_AT(kvm_cpuid2, padding, 4);

HAS_SIZE(kvm_enable_cap, 104);
IS_AT(kvm_enable_cap, cap, 0);
IS_AT(kvm_enable_cap, flags, 4);
IS_AT(kvm_enable_cap, args, 8);
IS_AT(kvm_enable_cap, pad, 40);

HAS_SIZE(kvm_userspace_memory_region, 32);
IS_AT(kvm_userspace_memory_region, slot, 0);
IS_AT(kvm_userspace_memory_region, flags, 4);
IS_AT(kvm_userspace_memory_region, guest_phys_addr, 8);
IS_AT(kvm_userspace_memory_region, memory_size, 16);
IS_AT(kvm_userspace_memory_region, userspace_addr, 24);

HAS_SIZE(kvm_userspace_memory_region2, 160);
IS_AT(kvm_userspace_memory_region2, slot, 0);
IS_AT(kvm_userspace_memory_region2, flags, 4);
IS_AT(kvm_userspace_memory_region2, guest_phys_addr, 8);
IS_AT(kvm_userspace_memory_region2, memory_size, 16);
IS_AT(kvm_userspace_memory_region2, userspace_addr, 24);
IS_AT(kvm_userspace_memory_region2, guest_memfd_offset, 32);
IS_AT(kvm_userspace_memory_region2, guest_memfd, 40);
IS_AT(kvm_userspace_memory_region2, pad1, 44);
IS_AT(kvm_userspace_memory_region2, pad2, 48);

HAS_SIZE(kvm_create_guest_memfd, 64);
IS_AT(kvm_create_guest_memfd, size, 0);
IS_AT(kvm_create_guest_memfd, flags, 8);
IS_AT(kvm_create_guest_memfd, reserved, 16);

HAS_SIZE(kvm_link_guest_memfd, 64);
IS_AT(kvm_link_guest_memfd, fd, 0);
IS_AT(kvm_link_guest_memfd, flags, 8);
HAS_SIZE(kvm_memory_attributes2, 128);
IS_AT(kvm_memory_attributes2, offset, 0);
IS_AT(kvm_memory_attributes2, size, 8);
IS_AT(kvm_memory_attributes2, attributes, 16);
IS_AT(kvm_memory_attributes2, flags, 24);
IS_AT(kvm_memory_attributes2, error_offset, 32);
IS_AT(kvm_memory_attributes2, reserved, 40);

HAS_SIZE(kvm_memory_attributes, 32);
IS_AT(kvm_memory_attributes, address, 0);
IS_AT(kvm_memory_attributes, size, 8);
IS_AT(kvm_memory_attributes, attributes, 16);
IS_AT(kvm_memory_attributes, flags, 24);

HAS_SIZE(kvm_tdx_cmd, 24);
IS_AT(kvm_tdx_cmd, id, 0);
IS_AT(kvm_tdx_cmd, flags, 4);
IS_AT(kvm_tdx_cmd, data, 8);
IS_AT(kvm_tdx_cmd, hw_error, 16);

HAS_SIZE(kvm_tdx_capabilities, 2056);
IS_AT(kvm_tdx_capabilities, supported_attrs, 0);
IS_AT(kvm_tdx_capabilities, supported_xfam, 8);
IS_AT(kvm_tdx_capabilities, kernel_tdvmcallinfo_1_r11, 16);
IS_AT(kvm_tdx_capabilities, user_tdvmcallinfo_1_r11, 24);
IS_AT(kvm_tdx_capabilities, kernel_tdvmcallinfo_1_r12, 32);
IS_AT(kvm_tdx_capabilities, user_tdvmcallinfo_1_r12, 40);
IS_AT(kvm_tdx_capabilities, reserved, 48);
IS_AT(kvm_tdx_capabilities, cpuid, 2048);

HAS_SIZE(kvm_tdx_init_vm, 264);
IS_AT(kvm_tdx_init_vm, attributes, 0);
IS_AT(kvm_tdx_init_vm, xfam, 8);
IS_AT(kvm_tdx_init_vm, mrconfigid, 16);
IS_AT(kvm_tdx_init_vm, mrowner, 64);
IS_AT(kvm_tdx_init_vm, mrownerconfig, 112);
IS_AT(kvm_tdx_init_vm, reserved, 160);
IS_AT(kvm_tdx_init_vm, cpuid, 256);

HAS_SIZE(kvm_tdx_init_vm_fixed, 16384);
IS_AT(kvm_tdx_init_vm_fixed, attributes, 0);
IS_AT(kvm_tdx_init_vm_fixed, max_vcpus, 8);
IS_AT(kvm_tdx_init_vm_fixed, mrconfigid, 16);
IS_AT(kvm_tdx_init_vm_fixed, mrowner, 64);
IS_AT(kvm_tdx_init_vm_fixed, mrownerconfig, 112);
IS_AT(kvm_tdx_init_vm_fixed, cpuid, 160);
IS_AT(kvm_tdx_init_vm_fixed, entries, 168);

HAS_SIZE(kvm_tdx_init_mem_region, 24);
IS_AT(kvm_tdx_init_mem_region, source_addr, 0);
IS_AT(kvm_tdx_init_mem_region, gpa, 8);
IS_AT(kvm_tdx_init_mem_region, nr_pages, 16);

IS_NUMBER(kvm_get_api_version, 0x0000AE00);
IS_NUMBER(kvm_create_vm, 0x0000AE01);
IS_NUMBER(kvm_check_extension, 0x0000AE03);
IS_NUMBER(kvm_get_vcpu_mmap_size, 0x0000AE04);
IS_NUMBER(kvm_get_supported_cpuid, 0xC008AE05);
IS_NUMBER(kvm_create_vcpu, 0x0000AE41);
IS_NUMBER(kvm_set_user_memory_region, 0x4020AE46);
IS_NUMBER(kvm_set_user_memory_region2, 0x40A0AE49);
IS_NUMBER(kvm_create_irqchip, 0x0000AE60);
IS_NUMBER(kvm_set_cpuid2, 0x4008AE90);
IS_NUMBER(kvm_set_tsc_khz, 0x0000AEA2);
IS_NUMBER(kvm_enable_cap, 0x4068AEA3);
IS_NUMBER(kvm_memory_encrypt_op, 0xC008AEBA);
IS_NUMBER(kvm_set_memory_attributes, 0x4020AED2);
IS_NUMBER(kvm_create_guest_memfd, 0xC040AED4);
IS_NUMBER(kvm_link_guest_memfd, 0xC040AED6);
IS_NUMBER(kvm_set_memory_attributes2, 0xC080AED2);

IS_COMMAND(kvm_tdx_capabilities, 0);
IS_COMMAND(kvm_tdx_init_vm, 1);
IS_COMMAND(kvm_tdx_init_vcpu, 2);
IS_COMMAND(kvm_tdx_init_mem_region, 3);
IS_COMMAND(kvm_tdx_finalize_vm, 4);
IS_COMMAND(kvm_tdx_get_cpuid, 5);
IS_COMMAND(kvm_tdx_terminate_vm, 6);

}  // namespace tdctl::uapi
