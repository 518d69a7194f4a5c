#include "client.h"

static void capabilities(void) {
  static const struct {
    const char *name;
    int number;
  } same_everywhere[] = {
#define CAP(name) {#name, KVM_CAP_##name}
      CAP(IRQCHIP), CAP(HLT), CAP(USER_MEMORY), CAP(SET_TSS_ADDR), CAP(EXT_CPUID), CAP(CLOCKSOURCE), CAP(PIT),
      CAP(NOP_IO_DELAY), CAP(PV_MMU), CAP(MP_STATE), CAP(COALESCED_MMIO), CAP(SYNC_MMU), CAP(IOMMU),
      CAP(DESTROY_MEMORY_REGION_WORKS), CAP(USER_NMI), CAP(SET_GUEST_DEBUG), CAP(REINJECT_CONTROL),
      CAP(IRQ_ROUTING), CAP(IRQ_INJECT_STATUS), CAP(ASSIGN_DEV_IRQ), CAP(JOIN_MEMORY_REGIONS_WORKS), CAP(MCE),
      CAP(IRQFD), CAP(PIT2), CAP(SET_BOOT_CPU_ID), CAP(PIT_STATE2), CAP(IOEVENTFD), CAP(SET_IDENTITY_MAP_ADDR),
      CAP(ADJUST_CLOCK), CAP(INTERNAL_ERROR_DATA), CAP(VCPU_EVENTS), CAP(S390_PSW),
      CAP(PCI_SEGMENT), CAP(INTR_SHADOW), CAP(DEBUGREGS), CAP(X86_ROBUST_SINGLESTEP),
      CAP(ENABLE_CAP), CAP(XSAVE), CAP(XCRS), CAP(ASYNC_PF), CAP(MAX_VCPUS), CAP(TSC_DEADLINE_TIMER),
      CAP(KVMCLOCK_CTRL), CAP(SIGNAL_MSI), CAP(READONLY_MEM), CAP(IRQFD_RESAMPLE), CAP(DEVICE_CTRL), CAP(EXT_EMUL_CPUID),
      CAP(ENABLE_CAP_VM), CAP(IOEVENTFD_NO_LENGTH), CAP(VM_ATTRIBUTES), CAP(CHECK_EXTENSION_VM), CAP(DISABLE_QUIRKS),
      CAP(SPLIT_IRQCHIP), CAP(IOEVENTFD_ANY_LENGTH),
      CAP(MAX_VCPU_ID), CAP(X2APIC_API), CAP(IMMEDIATE_EXIT), CAP(SYNC_REGS),
      CAP(GET_MSR_FEATURES), CAP(COALESCED_PIO),
      CAP(EXCEPTION_PAYLOAD), CAP(MANUAL_DIRTY_LOG_PROTECT2), CAP(LAST_CPU), CAP(SET_GUEST_DEBUG2),
      CAP(X86_USER_SPACE_MSR), CAP(X86_MSR_FILTER), CAP(ENFORCE_PV_FEATURE_CPUID),
      CAP(DIRTY_LOG_RING), CAP(SREGS2), CAP(EXIT_HYPERCALL), CAP(BINARY_STATS_FD), CAP(EXIT_ON_EMULATION_FAILURE),
      CAP(VM_GPA_BITS), CAP(SYS_ATTRIBUTES), CAP(X86_TRIPLE_FAULT_EVENT),
      CAP(VM_DISABLE_NX_HUGE_PAGES), CAP(NR_MEMSLOTS), CAP(GUEST_DEBUG_HW_BPS),
      CAP(GET_TSC_KHZ), CAP(PPC_SMT), CAP(S390_UCONTROL), CAP(ARM_PSCI), CAP(MIPS_FPU),
#undef CAP
      {"number -1", -1}, {"number 100000", 100000},
  };
  int vm = new_vm();
  for (size_t i = 0; i < sizeof same_everywhere / sizeof same_everywhere[0]; i++) {
    char line[80];
    snprintf(line, sizeof line, "%s of the system", same_everywhere[i].name);
    value(line, ioctl(kvm, KVM_CHECK_EXTENSION, same_everywhere[i].number));
    snprintf(line, sizeof line, "%s of a VM", same_everywhere[i].name);
    value(line, ioctl(vm, KVM_CHECK_EXTENSION, same_everywhere[i].number));
  }
  close(vm);
}

static void lists(void) {
  struct kvm_cpuid2 *cpuid = pages(2);
  says("KVM_GET_SUPPORTED_CPUID with room for none", ioctl(kvm, KVM_GET_SUPPORTED_CPUID, cpuid));
  cpuid->nent = 1;
  says("KVM_GET_SUPPORTED_CPUID with room for one", ioctl(kvm, KVM_GET_SUPPORTED_CPUID, cpuid));
  says("KVM_GET_SUPPORTED_CPUID at a bad address", ioctl(kvm, KVM_GET_SUPPORTED_CPUID, 8));
  cpuid->nent = 0;
  says("KVM_GET_EMULATED_CPUID with room for none", ioctl(kvm, KVM_GET_EMULATED_CPUID, cpuid));

  struct kvm_msr_list none = {0};
  says("KVM_GET_MSR_INDEX_LIST with room for none", ioctl(kvm, KVM_GET_MSR_INDEX_LIST, &none));
  value("that it tells how many there are", none.nmsrs > 0);
  none.nmsrs = 0;
  says("KVM_GET_MSR_FEATURE_INDEX_LIST with room for none", ioctl(kvm, KVM_GET_MSR_FEATURE_INDEX_LIST, &none));
  says("KVM_GET_MSR_INDEX_LIST at a bad address", ioctl(kvm, KVM_GET_MSR_INDEX_LIST, 8));

  struct {
    struct kvm_msrs head;
    struct kvm_msr_entry entry;
  } msrs = {.head.nmsrs = 1, .entry.index = 0x12345678};
  value("KVM_GET_MSRS of one that is no feature", ioctl(kvm, KVM_GET_MSRS, &msrs));
  msrs.head.nmsrs = 0;
  value("KVM_GET_MSRS of none", ioctl(kvm, KVM_GET_MSRS, &msrs));
  msrs.head.nmsrs = 256;
  says("KVM_GET_MSRS of too many", ioctl(kvm, KVM_GET_MSRS, &msrs));

  uint64_t mce = 0;
  says("KVM_X86_GET_MCE_CAP_SUPPORTED", ioctl(kvm, KVM_X86_GET_MCE_CAP_SUPPORTED, &mce));
  value("banks", mce & 0xff);
}

static void attributes(void) {
  uint64_t features = 0;
  struct kvm_device_attr attribute = {.attr = KVM_X86_XCOMP_GUEST_SUPP, .addr = (uintptr_t)&features};
  says("KVM_HAS_DEVICE_ATTR of XCOMP_GUEST_SUPP", ioctl(kvm, KVM_HAS_DEVICE_ATTR, &attribute));
  says("KVM_GET_DEVICE_ATTR of XCOMP_GUEST_SUPP", ioctl(kvm, KVM_GET_DEVICE_ATTR, &attribute));
  says("KVM_SET_DEVICE_ATTR", ioctl(kvm, KVM_SET_DEVICE_ATTR, &attribute));
  attribute.attr = 1000;
  says("KVM_HAS_DEVICE_ATTR of an unknown one", ioctl(kvm, KVM_HAS_DEVICE_ATTR, &attribute));
  attribute.group = 1000;
  says("KVM_HAS_DEVICE_ATTR of an unknown group", ioctl(kvm, KVM_HAS_DEVICE_ATTR, &attribute));
  says("KVM_GET_DEVICE_ATTR of an unknown group", ioctl(kvm, KVM_GET_DEVICE_ATTR, &attribute));
}

void ask_system(void) {
  about("system");
  value("KVM_GET_API_VERSION", ioctl(kvm, KVM_GET_API_VERSION, 0));
  says("KVM_GET_API_VERSION with an argument", ioctl(kvm, KVM_GET_API_VERSION, 1));
  value("KVM_GET_VCPU_MMAP_SIZE", ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0));
  says("KVM_GET_VCPU_MMAP_SIZE with an argument", ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 1));
  says("KVM_CREATE_VM of type 2000", ioctl(kvm, KVM_CREATE_VM, 2000));
  says("KVM_CREATE_VM of type -1", ioctl(kvm, KVM_CREATE_VM, -1));
  close(says("KVM_CREATE_VM", ioctl(kvm, KVM_CREATE_VM, 0)));
  says("an unknown ioctl", ioctl(kvm, _IO(KVMIO, 0xff), 0));
  says("an ioctl of another kind of file", ioctl(kvm, 0x5401, 0));
  says("KVM_CREATE_VCPU of the system", ioctl(kvm, KVM_CREATE_VCPU, 0));
  says("KVM_RUN of the system", ioctl(kvm, KVM_RUN, 0));
  lists();
  attributes();
  about("capability");
  capabilities();
}
