/** KVM_RUN: before the guest is entered, and what ends a run with an errno. */
import { checksIn, EFAULT, EHWPOISON, EINTR, EINVAL, EIO, ENOMEM, refusing } from './check.ts';
import { argumentChecks, vcpuChecks } from './common.ts';

const x86 = 'arch/x86/kvm/x86.c';
const tdx = 'arch/x86/kvm/vmx/tdx.c';
const finishBuilding = 'initialise every vCPU, then KVM_TDX_FINALIZE_VM, then KVM_RUN';

export const runChecks = {
  ...vcpuChecks,
  'argument.not-zero': argumentChecks['argument.not-zero'],
  ...checksIn(`${x86}, kvm_arch_vcpu_ioctl_run()`, {
    'run.waits-for-init': refusing(['EINTR', 'EAGAIN'])(
      'the vCPU waits for its INIT, and immediate_exit is set, or it was woken by something else',
      'initialise the vCPU (KVM_TDX_INIT_VCPU for a TD), and call KVM_RUN again',
    ),
    'run.sync-regs': EINVAL(
      'kvm_valid_regs or kvm_dirty_regs names registers that KVM does not synchronise: of a TD any',
      'name only what KVM_CAP_SYNC_REGS of the VM says, and leave both fields 0 for a TD',
    ),
    'run.dirty-regs': EINVAL(
      'the special registers or the events that kvm_dirty_regs names are invalid',
      'give what KVM_SET_SREGS and KVM_SET_VCPU_EVENTS would take',
      {
        leaves:
          'the parts before, in the order REGS, SREGS, EVENTS, which no longer are in kvm_dirty_regs',
        source: `${x86}, sync_regs()`,
      },
    ),
    'run.cr8': EINVAL(
      'cr8 is above 15, and the vCPU has no local APIC in the kernel',
      'give the task priority of the guest, 0 to 15',
    ),
    'run.map-gpa-answer': EINVAL(
      'the VMM answered a MapGPA exit with something else than 0, EAGAIN and EINVAL',
      'answer in hypercall.ret with 0, EAGAIN (11) or EINVAL (22)',
      { source: `${tdx}, tdx_complete_vmcall_map_gpa()` },
    ),
    'run.immediate-exit': EINTR(
      'immediate_exit is set; what the last exit asked for is completed',
      'clear immediate_exit, and call KVM_RUN again',
    ),
    'run.waits-for-sipi': EINVAL(
      'the vCPU was set to wait for a SIPI which cannot come: it is one of a TD, or in SMM',
      'leave the MP state of the vCPUs of a TD to KVM_TDX_INIT_VCPU, and that of a vCPU in SMM to its guest',
      { source: `${x86}, kvm_x86_vcpu_pre_run()` },
    ),
    'run.vcpu-not-initialised': EINVAL('the vCPU of a TD is not initialised', finishBuilding, {
      source: `${tdx}, tdx_vcpu_needs_initialization()`,
    }),
    'run.td-not-finalised': EINVAL('the TD is not finalised', finishBuilding, {
      source: `${tdx}, tdx_vcpu_needs_initialization()`,
    }),
    'run.vm-died': EIO(
      'the VM died while KVM_RUN was under way: another vCPU or request brought it down',
      'look for "SEAMCALL" and "before accepting" in the kernel log, and close the VM',
      { source: `${x86}, vcpu_enter_guest()` },
    ),
    'run.signal': EINTR(
      'a signal waits for the thread, or comes while the vCPU runs or is halted',
      'handle the signal, and call KVM_RUN again',
      { source: `${x86}, vcpu_run()` },
    ),
  }),
  ...checksIn('arch/x86/kvm/mmu/mmu.c, kvm_mmu_faultin_pfn()', {
    'run.memory-fault': EFAULT(
      'the guest touched memory as private that is shared, or the other way round, or where there is none (KVM_EXIT_MEMORY_FAULT)',
      'convert the range (KVM_SET_MEMORY_ATTRIBUTES, or KVM_SET_MEMORY_ATTRIBUTES2 on the guest_memfd) and call KVM_RUN again; look at exit_reason and the address it names',
    ),
    'run.no-memory': ENOMEM(
      'the guest accepted memory for which the host, or the memory cgroup of the process, has no page left',
      'take less memory for each TD, raise memory.max of the cgroup, or free memory, and call KVM_RUN again',
      { source: 'virt/kvm/guest_memfd.c, kvm_gmem_get_pfn()' },
    ),
    'run.damaged-page': EHWPOISON(
      'the guest touched a damaged page (KVM_EXIT_MEMORY_FAULT)',
      'look for "mce:" in the kernel log: the page is lost to the guest',
      { source: 'virt/kvm/guest_memfd.c, kvm_gmem_get_pfn()' },
    ),
  }),
  ...checksIn(`${tdx}, tdx_handle_ept_violation()`, {
    'run.unaccepted-memory': EIO(
      'the guest touched private memory that it had not accepted: its firmware or kernel has no TDX',
      'look at the console of the guest, and use a guest kernel with TDX support',
      { vmDead: true },
    ),
  }),
};
