#include "client.h"

// What KVM_RUN checks before it enters a guest: none is entered here.
void ask_run(void) {
  about("run");
  int vm = new_vm(), vcpu = new_vcpu(vm);
  struct kvm_run *run = run_page_of(vcpu);
  says("KVM_RUN with an argument", ioctl(vcpu, KVM_RUN, 1));
  run->immediate_exit = 1;
  says("KVM_RUN that ends at once", ioctl(vcpu, KVM_RUN, 0));
  value("exit_reason after that", run->exit_reason);
  value("cr8 after that", run->cr8);
  value("apic_base after that", run->apic_base);
  value("if_flag after that", run->if_flag);
  value("ready_for_interrupt_injection after that", run->ready_for_interrupt_injection);
  run->flags = 0xffff;
  ioctl(vcpu, KVM_RUN, 0);
  value("flags after all were set", run->flags);
  run->kvm_valid_regs = 1u << 20;
  says("KVM_RUN with unknown registers to store", ioctl(vcpu, KVM_RUN, 0));
  run->kvm_valid_regs = 0;
  run->kvm_dirty_regs = 1u << 20;
  says("KVM_RUN with unknown registers to take", ioctl(vcpu, KVM_RUN, 0));
  run->kvm_dirty_regs = 0;
  run->kvm_valid_regs = KVM_SYNC_X86_REGS | KVM_SYNC_X86_SREGS | KVM_SYNC_X86_EVENTS;
  says("KVM_RUN that stores all registers", ioctl(vcpu, KVM_RUN, 0));
  value("rip in the page", run->s.regs.regs.rip);
  run->cr8 = 16;
  says("KVM_RUN with cr8 too high", ioctl(vcpu, KVM_RUN, 0));
  run->cr8 = 3;
  says("KVM_RUN with another cr8", ioctl(vcpu, KVM_RUN, 0));
  struct kvm_sregs sregs = {0};
  ioctl(vcpu, KVM_GET_SREGS, &sregs);
  value("cr8 of the vCPU after that", sregs.cr8);
  struct kvm_mp_state mp = {.mp_state = KVM_MP_STATE_HALTED};
  says("KVM_SET_MP_STATE of HALTED without a controller", ioctl(vcpu, KVM_SET_MP_STATE, &mp));
  void *past = mmap(NULL, 16 * PAGE, PROT_READ, MAP_SHARED, vcpu, 0);
  says("mapping more than there is", past == MAP_FAILED ? -1 : 0);
  says("mapping the page privately", mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, vcpu, 0) == MAP_FAILED ? -1 : 0);
  says("mapping the VM", mmap(NULL, PAGE, PROT_READ, MAP_SHARED, vm, 0) == MAP_FAILED ? -1 : 0);
  close(vcpu);
  close(vm);
}
