/** KVM_TDX_FINALIZE_VM. Source: kernel-abi parts 2.13 and 7.1, Linux 7.3. */
import { vmCommandChecks } from './common-checks.ts';
import type { RequestFacts } from './request.ts';

export const finalizeVmFacts: RequestFacts = {
  request: 'KVM_TDX_FINALIZE_VM',
  on: 'the VM',
  checks: [
    ...vmCommandChecks,
    {
      step: 6,
      errno: 'EINVAL',
      when: 'the TD has no key slot (INIT_VM has not been done), or it is finalised already',
      hwError: 'zero',
    },
    {
      step: 6,
      errno: 'EINVAL',
      when: 'pages were mapped before that INIT_MEM_REGION never added',
      hwError: 'zero',
      kernels: 'Linux 6.16',
    },
    {
      step: 7,
      errno: 'EBUSY',
      when: 'TDH.MR.FINALIZE found the TD busy',
      hwError: 'module-status',
    },
    {
      step: 8,
      errno: 'EIO',
      when: 'TDH.MR.FINALIZE failed',
      hwError: 'module-status',
      vmDead: true,
    },
    {
      step: 9,
      errno: 'EFAULT',
      when: 'the command cannot be written back',
      leaves: 'whatever the step did, also a TD that is finalised',
    },
  ],
  answers: {
    EINVAL: {
      id: 'finalize-vm.wrong-order',
      code: 'TDCTL_E_IOCTL',
      meaning: 'the TD is not initialised yet, or is finalised already',
      next: 'keep the order INIT_VM, vCPUs, memory, FINALIZE_VM, and finalise once',
    },
    EBUSY: {
      id: 'finalize-vm.busy',
      code: 'TDCTL_E_IOCTL',
      meaning: 'another thread works on the same TD; the request may be repeated',
      next: 'wait until vCPUs and memory are done, and repeat the request',
    },
    EIO: {
      id: 'finalize-vm.module-refused',
      code: 'TDCTL_E_IOCTL',
      meaning: 'the TDX module refused to close the measurement, and the VM is dead',
      causes: [
        'no vCPU of the TD is initialised (TDX_NO_VCPUS)',
        'the module was updated while the TD was being built (TDX_INCOMPATIBLE_MRTD_CONTEXT)',
        'the caller is not the process that created the VM',
      ],
      next: 'look up the status: `tdctl explain` with the hw_error of the request',
    },
  },
};
