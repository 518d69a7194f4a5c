/* The same for VMs of type TDX. */
#include "kvm_util.h"
#include "processor.h"
#undef KVM_X86_SW_PROTECTED_VM
#define KVM_X86_SW_PROTECTED_VM KVM_X86_TDX_VM
#define vm_create_barebones() vm_create_barebones_type(KVM_X86_TDX_VM)
#include "set_memory_region_host.c"
