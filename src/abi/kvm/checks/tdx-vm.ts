/** KVM_TDX_CAPABILITIES, KVM_TDX_FINALIZE_VM and KVM_TDX_TERMINATE_VM. */
import { checksIn, E2BIG, EBUSY, EFAULT, EINVAL, EIO, ENOMEM } from './check.ts';
import { lockedVmCommandChecks, vmCommandChecks, writtenBackChecks } from './tdx-command.ts';

const tdx = 'arch/x86/kvm/vmx/tdx.c';

export const capabilitiesChecks = {
  ...vmCommandChecks,
  ...checksIn(`${tdx}, tdx_get_capabilities()`, {
    'capabilities.flags': EINVAL(
      'flags of the command is not 0',
      'pass 0 in flags; a VMM from before Linux 6.16 uses another interface',
    ),
    'capabilities.nent-unreadable': EFAULT(
      'cpuid.nent is unreadable',
      'pass the address of a struct kvm_tdx_capabilities in data',
    ),
    'capabilities.buffer-too-small': E2BIG(
      'there are more configurable CPUID leaves than cpuid.nent has room for',
      'double cpuid.nent until it is not E2BIG; 256 is always enough',
    ),
    'capabilities.no-memory': ENOMEM(
      'the kernel has no memory for the answer',
      'free memory, or raise the limit of the memory cgroup',
    ),
    'capabilities.nothing-supported': EIO(
      'the module supports no attributes or no XFAM',
      'use a module release that the kernel knows',
      { source: `${tdx}, init_kvm_tdx_caps()` },
    ),
    'capabilities.unwritable': EFAULT(
      'the answer cannot be written',
      'pass memory for the whole struct, 2056 bytes and 40 for each of the nent entries',
    ),
  }),
};

export const finalizeVmChecks = {
  ...lockedVmCommandChecks,
  ...checksIn(`${tdx}, tdx_td_finalize()`, {
    'finalize-vm.wrong-order': EINVAL(
      'the TD has no key slot (KVM_TDX_INIT_VM has not been done), or it is finalised already',
      'keep the order INIT_VM, vCPUs, memory, FINALIZE_VM, and finalise once',
    ),
    'finalize-vm.busy': EBUSY(
      'TDH.MR.FINALIZE found the TD busy',
      'wait until vCPUs and memory are done, and repeat it',
      { hwError: 'module-status' },
    ),
    'finalize-vm.module-refused': EIO(
      'TDH.MR.FINALIZE failed',
      'look up the status: `tdctl explain` with the hw_error of the command',
      { hwError: 'module-status', vmDead: true },
    ),
  }),
  ...writtenBackChecks,
};

export const otherFinalizeVmChecks = checksIn(`${tdx} of Linux 6.16, tdx_td_finalize()`, {
  'finalize-vm.pages-not-added': EINVAL(
    'a page was mapped for the TD that KVM_TDX_INIT_MEM_REGION never added',
    'repeat KVM_TDX_INIT_MEM_REGION until nr_pages is 0, then finalise',
  ),
});

/** Of kernels that have the command: posted in July 2025, in no release. */
export const terminateVmChecks = {
  ...vmCommandChecks,
  ...checksIn('"KVM: TDX: Add sub-ioctl KVM_TDX_TERMINATE_VM", lkml, July 2025, 5/5', {
    'terminate-vm.vcpu-runs': EBUSY(
      'a vCPU of the TD runs',
      'kick every vCPU out of KVM_RUN first',
    ),
  }),
};
