/** KVM_TDX_CAPABILITIES, KVM_TDX_FINALIZE_VM and KVM_TDX_TERMINATE_VM. */
import { checksIn } from './check.ts';
import { lockedVmCommandChecks, vmCommandChecks, writtenBackChecks } from './tdx-command.ts';

const tdx = 'arch/x86/kvm/vmx/tdx.c';

export const capabilitiesChecks = {
  ...vmCommandChecks,
  ...checksIn(`${tdx}, tdx_get_capabilities()`, {
    'capabilities.flags': {
      errno: 'EINVAL',
      when: 'flags of the command is not 0',
      remedy: 'pass 0 in flags; a VMM from before Linux 6.16 uses another interface',
    },
    'capabilities.nent-unreadable': {
      errno: 'EFAULT',
      when: 'cpuid.nent is unreadable',
      remedy: 'pass the address of a struct kvm_tdx_capabilities in data',
    },
    'capabilities.buffer-too-small': {
      errno: 'E2BIG',
      when: 'there are more configurable CPUID leaves than cpuid.nent has room for',
      remedy: 'double cpuid.nent until it is not E2BIG; 256 is always enough',
    },
    'capabilities.no-memory': {
      errno: 'ENOMEM',
      when: 'the kernel has no memory for the answer',
      remedy: 'free memory, or raise the limit of the memory cgroup',
    },
    'capabilities.nothing-supported': {
      errno: 'EIO',
      when: 'the module supports no attributes or no XFAM',
      remedy: 'use a module release that the kernel knows',
      source: `${tdx}, init_kvm_tdx_caps()`,
    },
    'capabilities.unwritable': {
      errno: 'EFAULT',
      when: 'the answer cannot be written',
      remedy: 'pass memory for the whole struct, 2056 bytes and 40 for each of the nent entries',
    },
  }),
};

export const finalizeVmChecks = {
  ...lockedVmCommandChecks,
  ...checksIn(`${tdx}, tdx_td_finalize()`, {
    'finalize-vm.wrong-order': {
      errno: 'EINVAL',
      when: 'the TD has no key slot (KVM_TDX_INIT_VM has not been done), or it is finalised already',
      remedy: 'keep the order INIT_VM, vCPUs, memory, FINALIZE_VM, and finalise once',
    },
    'finalize-vm.busy': {
      errno: 'EBUSY',
      when: 'TDH.MR.FINALIZE found the TD busy',
      remedy: 'wait until vCPUs and memory are done, and repeat it',
      hwError: 'module-status',
    },
    'finalize-vm.module-refused': {
      errno: 'EIO',
      when: 'TDH.MR.FINALIZE failed',
      remedy: 'look up the status: `tdctl explain` with the hw_error of the command',
      hwError: 'module-status',
      vmDead: true,
    },
  }),
  ...writtenBackChecks,
};

export const otherFinalizeVmChecks = checksIn(`${tdx} of Linux 6.16, tdx_td_finalize()`, {
  'finalize-vm.pages-not-added': {
    errno: 'EINVAL',
    when: 'a page was mapped for the TD that KVM_TDX_INIT_MEM_REGION never added',
    remedy: 'repeat KVM_TDX_INIT_MEM_REGION until nr_pages is 0, then finalise',
  },
});

/** Of kernels that have the command: posted in July 2025, in no release. */
export const terminateVmChecks = {
  ...vmCommandChecks,
  ...checksIn('"KVM: TDX: Add sub-ioctl KVM_TDX_TERMINATE_VM", lkml, July 2025, 5/5', {
    'terminate-vm.vcpu-runs': {
      errno: 'EBUSY',
      when: 'a vCPU of the TD runs',
      remedy: 'kick every vCPU out of KVM_RUN first',
    },
  }),
};
