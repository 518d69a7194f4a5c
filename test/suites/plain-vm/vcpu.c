#include "client.h"

static void state(int vcpu) {
  struct kvm_mp_state mp = {0};
  says("KVM_GET_MP_STATE", ioctl(vcpu, KVM_GET_MP_STATE, &mp));
  value("the state", mp.mp_state);
  mp.mp_state = 100;
  says("KVM_SET_MP_STATE of an unknown one", ioctl(vcpu, KVM_SET_MP_STATE, &mp));
  mp.mp_state = KVM_MP_STATE_HALTED;
  says("KVM_SET_MP_STATE of HALTED", ioctl(vcpu, KVM_SET_MP_STATE, &mp));
  mp.mp_state = KVM_MP_STATE_SIPI_RECEIVED;
  says("KVM_SET_MP_STATE of SIPI_RECEIVED", ioctl(vcpu, KVM_SET_MP_STATE, &mp));
  mp.mp_state = KVM_MP_STATE_RUNNABLE;
  says("KVM_SET_MP_STATE of RUNNABLE", ioctl(vcpu, KVM_SET_MP_STATE, &mp));

  struct kvm_vcpu_events events = {0};
  says("KVM_GET_VCPU_EVENTS", ioctl(vcpu, KVM_GET_VCPU_EVENTS, &events));
  value("their flags", events.flags);
  says("KVM_SET_VCPU_EVENTS of what was read", ioctl(vcpu, KVM_SET_VCPU_EVENTS, &events));
  struct kvm_vcpu_events bad = events;
  bad.flags = 1u << 20;
  says("KVM_SET_VCPU_EVENTS with an unknown flag", ioctl(vcpu, KVM_SET_VCPU_EVENTS, &bad));
  bad = events;
  bad.exception.injected = 1;
  bad.exception.nr = 40;
  says("KVM_SET_VCPU_EVENTS with an unknown exception", ioctl(vcpu, KVM_SET_VCPU_EVENTS, &bad));
  bad.exception.nr = 2;
  says("KVM_SET_VCPU_EVENTS with an NMI as an exception", ioctl(vcpu, KVM_SET_VCPU_EVENTS, &bad));

  struct kvm_xcrs xcrs = {0};
  says("KVM_GET_XCRS", ioctl(vcpu, KVM_GET_XCRS, &xcrs));
  xcrs.nr_xcrs = 100;
  says("KVM_SET_XCRS of too many", ioctl(vcpu, KVM_SET_XCRS, &xcrs));
  xcrs.nr_xcrs = 0;
  xcrs.flags = 1;
  says("KVM_SET_XCRS with a flag", ioctl(vcpu, KVM_SET_XCRS, &xcrs));
}

static void interrupts(int with_irqchip, int without) {
  struct kvm_interrupt interrupt = {.irq = 32};
  struct kvm_lapic_state *lapic = pages(1);
  says("KVM_INTERRUPT", ioctl(without, KVM_INTERRUPT, &interrupt));
  says("KVM_INTERRUPT twice", ioctl(without, KVM_INTERRUPT, &interrupt));
  says("KVM_INTERRUPT with a controller", ioctl(with_irqchip, KVM_INTERRUPT, &interrupt));
  interrupt.irq = 256;
  says("KVM_INTERRUPT of a vector too high", ioctl(without, KVM_INTERRUPT, &interrupt));
  says("KVM_NMI", ioctl(without, KVM_NMI, 0));
  says("KVM_GET_LAPIC without one", ioctl(without, KVM_GET_LAPIC, lapic));
  says("KVM_SET_LAPIC without one", ioctl(without, KVM_SET_LAPIC, lapic));
  says("KVM_GET_LAPIC", ioctl(with_irqchip, KVM_GET_LAPIC, lapic));
  static const struct {
    const char *name;
    unsigned offset;
  } apic_registers[] = {{"id", 0x20}, {"TPR", 0x80}, {"LDR", 0xd0}, {"DFR", 0xe0}, {"SVR", 0xf0}, {"LVT timer", 0x320},
                        {"LINT0", 0x350}, {"LINT1", 0x360}, {"LVT error", 0x370}, {"initial count", 0x380}};
  for (size_t i = 0; i < sizeof apic_registers / sizeof apic_registers[0]; i++) {
    uint32_t is;
    memcpy(&is, lapic->regs + apic_registers[i].offset, 4);
    value(apic_registers[i].name, is);
  }
  says("KVM_SET_LAPIC", ioctl(with_irqchip, KVM_SET_LAPIC, lapic));
  struct kvm_tpr_access_ctl tpr = {.enabled = 1};
  says("KVM_TPR_ACCESS_REPORTING", ioctl(with_irqchip, KVM_TPR_ACCESS_REPORTING, &tpr));
  tpr.flags = 1;
  says("KVM_TPR_ACCESS_REPORTING with a flag", ioctl(with_irqchip, KVM_TPR_ACCESS_REPORTING, &tpr));
  struct kvm_vapic_addr vapic = {.vapic_addr = 0x1000};
  says("KVM_SET_VAPIC_ADDR without a controller", ioctl(without, KVM_SET_VAPIC_ADDR, &vapic));
  says("KVM_SET_VAPIC_ADDR without memory", ioctl(with_irqchip, KVM_SET_VAPIC_ADDR, &vapic));
  vapic.vapic_addr = 0;
  says("KVM_SET_VAPIC_ADDR of 0", ioctl(with_irqchip, KVM_SET_VAPIC_ADDR, &vapic));
}

static void machine_checks(int vcpu) {
  uint64_t capability = 10;
  says("KVM_X86_SETUP_MCE", ioctl(vcpu, KVM_X86_SETUP_MCE, &capability));
  struct kvm_x86_mce mce = {.status = 1ull << 63, .bank = 1};
  says("KVM_X86_SET_MCE", ioctl(vcpu, KVM_X86_SET_MCE, &mce));
  mce.bank = 100;
  says("KVM_X86_SET_MCE of a bank too high", ioctl(vcpu, KVM_X86_SET_MCE, &mce));
  mce = (struct kvm_x86_mce){.bank = 1};
  says("KVM_X86_SET_MCE that is not valid", ioctl(vcpu, KVM_X86_SET_MCE, &mce));
  capability = 0;
  says("KVM_X86_SETUP_MCE of no bank", ioctl(vcpu, KVM_X86_SETUP_MCE, &capability));
  capability = 200;
  says("KVM_X86_SETUP_MCE of too many", ioctl(vcpu, KVM_X86_SETUP_MCE, &capability));
}

static void cpuid(int vcpu) {
  struct kvm_cpuid2 *all = pages(8);
  all->nent = 200;
  ioctl(kvm, KVM_GET_SUPPORTED_CPUID, all);
  says("KVM_SET_CPUID2 of the supported", ioctl(vcpu, KVM_SET_CPUID2, all));
  uint32_t count = all->nent;
  all->nent = 1;
  says("KVM_GET_CPUID2 with too little room", ioctl(vcpu, KVM_GET_CPUID2, all));
  all->nent = 200;
  says("KVM_GET_CPUID2", ioctl(vcpu, KVM_GET_CPUID2, all));
  value("that it gives as many", all->nent == count);
  all->nent = 257;
  says("KVM_SET_CPUID2 of too many", ioctl(vcpu, KVM_SET_CPUID2, all));
  all->nent = 0;
  says("KVM_SET_CPUID2 of none", ioctl(vcpu, KVM_SET_CPUID2, all));
  struct kvm_cpuid *old = pages(1);
  says("KVM_SET_CPUID of none", ioctl(vcpu, KVM_SET_CPUID, old));
  old->nent = 257;
  says("KVM_SET_CPUID of too many", ioctl(vcpu, KVM_SET_CPUID, old));
}

static void others(int vcpu) {
  struct kvm_translation translation = {.linear_address = 0x12345};
  if (says("KVM_TRANSLATE without paging", ioctl(vcpu, KVM_TRANSLATE, &translation)) == 0) {
    value("the physical address", translation.physical_address);
    value("valid, writeable, usermode", translation.valid << 8 | translation.writeable << 4 | translation.usermode);
  }
  struct kvm_guest_debug debug = {.control = 1u << 30};
  says("KVM_SET_GUEST_DEBUG with an unknown flag", ioctl(vcpu, KVM_SET_GUEST_DEBUG, &debug));
  debug.control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP;
  says("KVM_SET_GUEST_DEBUG", ioctl(vcpu, KVM_SET_GUEST_DEBUG, &debug));
  struct kvm_one_reg reg = {.id = 1};
  says("KVM_GET_ONE_REG of an unknown one", ioctl(vcpu, KVM_GET_ONE_REG, &reg));
  struct {
    struct kvm_signal_mask head;
    uint64_t mask;
  } signals = {.head.len = 4};
  says("KVM_SET_SIGNAL_MASK of four bytes", ioctl(vcpu, KVM_SET_SIGNAL_MASK, &signals));
  signals.head.len = 8;
  says("KVM_SET_SIGNAL_MASK", ioctl(vcpu, KVM_SET_SIGNAL_MASK, &signals));
  says("KVM_SET_SIGNAL_MASK of none", ioctl(vcpu, KVM_SET_SIGNAL_MASK, 0));
  struct kvm_enable_cap cap = {.cap = KVM_CAP_HYPERV_SYNIC};
  says("KVM_CAP_HYPERV_SYNIC without a controller", ioctl(vcpu, KVM_ENABLE_CAP, &cap));
  cap = (struct kvm_enable_cap){.cap = KVM_CAP_ENFORCE_PV_FEATURE_CPUID, .args = {1}};
  says("KVM_CAP_ENFORCE_PV_FEATURE_CPUID", ioctl(vcpu, KVM_ENABLE_CAP, &cap));
  cap.cap = 100000;
  says("KVM_ENABLE_CAP of an unknown one", ioctl(vcpu, KVM_ENABLE_CAP, &cap));
  cap.flags = 1;
  says("KVM_ENABLE_CAP with flags", ioctl(vcpu, KVM_ENABLE_CAP, &cap));
  struct kvm_device_attr attribute = {.group = KVM_VCPU_TSC_CTRL, .attr = KVM_VCPU_TSC_OFFSET};
  says("KVM_HAS_DEVICE_ATTR of the TSC's offset", ioctl(vcpu, KVM_HAS_DEVICE_ATTR, &attribute));
  attribute.attr = 9;
  says("KVM_HAS_DEVICE_ATTR of an unknown one", ioctl(vcpu, KVM_HAS_DEVICE_ATTR, &attribute));
  says("an unknown ioctl", ioctl(vcpu, _IO(KVMIO, 0xff), 0));
  says("KVM_CREATE_VCPU", ioctl(vcpu, KVM_CREATE_VCPU, 0));
  says("KVM_KVMCLOCK_CTRL", ioctl(vcpu, KVM_KVMCLOCK_CTRL, 0));
}

void ask_vcpu(void) {
  int vm = new_vm_with_irqchip(), vcpu = new_vcpu(vm), plain = new_vm(), without = new_vcpu(plain);
  about("state");
  state(vcpu);
  about("interrupts of a vCPU");
  interrupts(vcpu, without);
  about("machine check");
  machine_checks(vcpu);
  about("CPUID");
  cpuid(vcpu);
  about("vCPU");
  others(without);
  close(vcpu);
  close(vm);
  close(without);
  close(plain);
}
