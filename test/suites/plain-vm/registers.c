#include "client.h"

static void general(int vcpu) {
  struct kvm_regs regs = {0};
  says("KVM_GET_REGS", ioctl(vcpu, KVM_GET_REGS, &regs));
  value("rip", regs.rip);
  value("rflags", regs.rflags);
  value("rax", regs.rax);
  value("rsp", regs.rsp);
  regs = (struct kvm_regs){.rax = 1, .r15 = 15, .rip = 0x8000, .rflags = 0};
  says("KVM_SET_REGS", ioctl(vcpu, KVM_SET_REGS, &regs));
  ioctl(vcpu, KVM_GET_REGS, &regs);
  value("rflags after 0 was set", regs.rflags);
  value("r15 after that", regs.r15);
  says("KVM_GET_REGS to a bad address", ioctl(vcpu, KVM_GET_REGS, 8));
}

static void segment(const char *name, const struct kvm_segment *segment) {
  char line[80];
  snprintf(line, sizeof line, "%s: base", name);
  value(line, segment->base);
  snprintf(line, sizeof line, "%s: limit", name);
  value(line, segment->limit);
  snprintf(line, sizeof line, "%s: selector", name);
  value(line, segment->selector);
  snprintf(line, sizeof line, "%s: type, present, s, dpl", name);
  value(line, segment->type << 12 | segment->present << 8 | segment->s << 4 | segment->dpl);
}

static void special(int vcpu) {
  struct kvm_sregs reset = {0};
  says("KVM_GET_SREGS", ioctl(vcpu, KVM_GET_SREGS, &reset));
  segment("cs", &reset.cs);
  segment("ss", &reset.ss);
  segment("tr", &reset.tr);
  segment("ldt", &reset.ldt);
  value("cr0", reset.cr0);
  value("cr3", reset.cr3);
  value("cr4", reset.cr4);
  value("cr8", reset.cr8);
  value("efer", reset.efer);
  value("apic_base", reset.apic_base);
  value("idt limit", reset.idt.limit);
  says("KVM_SET_SREGS of what was read", ioctl(vcpu, KVM_SET_SREGS, &reset));
  struct kvm_sregs bad = reset;
  bad.cr4 = 1ull << 31;
  says("KVM_SET_SREGS with an unknown bit of cr4", ioctl(vcpu, KVM_SET_SREGS, &bad));
  bad = reset;
  bad.cr0 = 1ull << 40;
  says("KVM_SET_SREGS with a high bit of cr0", ioctl(vcpu, KVM_SET_SREGS, &bad));
  bad = reset;
  bad.cr0 = 1ull << 31;
  says("KVM_SET_SREGS with paging without protection", ioctl(vcpu, KVM_SET_SREGS, &bad));
  bad = reset;
  bad.cr0 = 0x20000010;
  says("KVM_SET_SREGS with NW without CD", ioctl(vcpu, KVM_SET_SREGS, &bad));
  bad = reset;
  bad.efer = 1 << 10;
  says("KVM_SET_SREGS with LMA alone", ioctl(vcpu, KVM_SET_SREGS, &bad));
  bad = reset;
  bad.apic_base = 1;
  says("KVM_SET_SREGS with a bad apic_base", ioctl(vcpu, KVM_SET_SREGS, &bad));
  bad = reset;
  bad.interrupt_bitmap[0] = 6;
  says("KVM_SET_SREGS with two interrupts", ioctl(vcpu, KVM_SET_SREGS, &bad));
}

static void debug(int vcpu) {
  struct kvm_debugregs debug = {0};
  says("KVM_GET_DEBUGREGS", ioctl(vcpu, KVM_GET_DEBUGREGS, &debug));
  value("dr6", debug.dr6);
  value("dr7", debug.dr7);
  debug.db[1] = 0x1234;
  debug.dr7 = 0x401;
  says("KVM_SET_DEBUGREGS", ioctl(vcpu, KVM_SET_DEBUGREGS, &debug));
  memset(&debug, 0, sizeof debug);
  ioctl(vcpu, KVM_GET_DEBUGREGS, &debug);
  value("db1 after that", debug.db[1]);
  value("dr7 after that", debug.dr7);
  debug.flags = 1;
  says("KVM_SET_DEBUGREGS with a flag", ioctl(vcpu, KVM_SET_DEBUGREGS, &debug));
  debug.flags = 0;
  debug.dr6 = 1ull << 40;
  says("KVM_SET_DEBUGREGS with a high bit of dr6", ioctl(vcpu, KVM_SET_DEBUGREGS, &debug));
  debug.dr6 = 0;
  debug.dr7 = 1ull << 40;
  says("KVM_SET_DEBUGREGS with a high bit of dr7", ioctl(vcpu, KVM_SET_DEBUGREGS, &debug));
}

static void fpu(int vcpu) {
  struct kvm_fpu fpu = {0};
  says("KVM_GET_FPU", ioctl(vcpu, KVM_GET_FPU, &fpu));
  value("fcw", fpu.fcw);
  value("mxcsr", fpu.mxcsr);
  fpu.fcw = 0x27f;
  says("KVM_SET_FPU", ioctl(vcpu, KVM_SET_FPU, &fpu));
  memset(&fpu, 0, sizeof fpu);
  ioctl(vcpu, KVM_GET_FPU, &fpu);
  value("fcw after that", fpu.fcw);
  struct kvm_xsave *xsave = pages(2);
  says("KVM_GET_XSAVE", ioctl(vcpu, KVM_GET_XSAVE, xsave));
  value("fcw in XSAVE's area", xsave->region[0] & 0xffff);
  says("KVM_SET_XSAVE of what was read", ioctl(vcpu, KVM_SET_XSAVE, xsave));
  xsave->region[6] = ~0u;
  says("KVM_SET_XSAVE with a bad mxcsr", ioctl(vcpu, KVM_SET_XSAVE, xsave));
}

static void msrs(int vcpu) {
  static const struct {
    const char *name;
    uint32_t index;
    uint64_t write;
  } cases[] = {
      {"SYSENTER_CS", 0x174, 0x10},
      {"SYSENTER_ESP", 0x175, 0x8000},
      {"SYSENTER_EIP of a non-canonical address", 0x176, 1ull << 63},
      {"PAT", 0x277, 0x0007040600070406},
      {"PAT of an unknown type", 0x277, 0x2},
      {"STAR", 0xc0000081, 0x1234},
      {"LSTAR", 0xc0000082, 0x8000},
      {"LSTAR of a non-canonical address", 0xc0000082, 1ull << 63},
      {"KERNEL_GS_BASE", 0xc0000102, 0x8000},
      {"MTRR_DEF_TYPE", 0x2ff, 0xc06},
      {"MTRR_DEF_TYPE of an unknown type", 0x2ff, 0xc02},
      {"MTRRFIX64K", 0x250, 0x0606060606060606},
      {"MTRRFIX64K of an unknown type", 0x250, 0x02},
      {"MTRRCAP", 0xfe, 0x508},
      {"APICBASE", 0x1b, 0xfee00900},
      {"KVM's wall clock", 0x4b564d00, 0},
      {"KVM's steal time", 0x4b564d03, 0},
      {"KVM's steal time with a reserved bit", 0x4b564d03, 2},
      {"KVM's asynchronous faults", 0x4b564d02, 0},
      {"KVM's asynchronous faults with a reserved bit", 0x4b564d02, 0x30},
      {"KVM's EOI", 0x4b564d04, 0},
      {"MCG_STATUS", 0x17a, 0},
      {"one that does not exist", 0x12345678, 0},
      {"TSC_AUX", 0xc0000103, 0},
      {"PLATFORM_INFO", 0xce, 0x80000000},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    char line[100];
    struct {
      struct kvm_msrs head;
      struct kvm_msr_entry entry;
    } msr = {.head.nmsrs = 1, .entry.index = cases[i].index};
    int got = ioctl(vcpu, KVM_GET_MSRS, &msr);
    snprintf(line, sizeof line, "%s read", cases[i].name);
    value(line, got == 1 ? msr.entry.data : (uint64_t)got - 1);
    msr.entry.data = cases[i].write;
    got = ioctl(vcpu, KVM_SET_MSRS, &msr);
    snprintf(line, sizeof line, "%s written", cases[i].name);
    value(line, got);
  }
}

void ask_registers(void) {
  int vm = new_vm_with_irqchip(), vcpu = new_vcpu(vm);
  about("registers");
  general(vcpu);
  about("special registers");
  special(vcpu);
  about("debug registers");
  debug(vcpu);
  about("FPU");
  fpu(vcpu);
  about("MSR");
  msrs(vcpu);
  close(vcpu);
  close(vm);
}
