/** KVM_TDX_INIT_VCPU and KVM_TDX_GET_CPUID. Source: kernel-abi 2.9, 2.10 and 7.1, Linux 7.3. */
import { vcpuCommandChecks } from './common-checks.ts';
import type { RequestFacts } from './request.ts';

export const initVcpuFacts: RequestFacts = {
  request: 'KVM_TDX_INIT_VCPU',
  on: 'a vCPU',
  checks: [
    ...vcpuCommandChecks,
    { step: 6, errno: 'EINVAL', when: 'flags of the command is not 0' },
    { step: 7, errno: 'EINVAL', when: 'the vCPU is initialised already' },
    { step: 8, errno: 'EINVAL', when: 'the CPUID of the vCPU has no x2APIC' },
    {
      step: 9,
      errno: 'ENOMEM',
      when: 'no memory for the pages of the vCPU',
      leaves: 'its APIC is in x2APIC mode; it may be tried again',
    },
    {
      step: 10,
      errno: 'EIO',
      when: 'TDH.VP.CREATE, TDH.VP.ADDCX or TDH.VP.INIT failed',
      leaves: 'pages that were added stay until the TD ends',
      vmDead: true,
    },
  ],
  answers: {
    EINVAL: {
      id: 'init-vcpu.not-ready',
      code: 'TDCTL_E_IOCTL',
      meaning: 'the vCPU cannot be initialised: the TD or the vCPU is not at that point',
      causes: [
        'KVM_SET_CPUID2 has not given the vCPU x2APIC (leaf 1, ECX bit 21): it must come before',
        'the TD is finalised: vCPUs that were not initialised before can never run',
        'INIT_VM has not been done, or the vCPU is initialised already',
      ],
      next: 'keep the order INIT_VM, CREATE_VCPU, SET_CPUID2, INIT_VCPU, FINALIZE_VM',
    },
    EIO: {
      id: 'init-vcpu.module-refused',
      code: 'TDCTL_E_IOCTL',
      meaning: 'the TDX module refused the vCPU, and the VM is dead',
      causes: [
        'the TD has as many vCPUs as MAX_VCPUS allows (TDX_MAX_VCPUS_EXCEEDED in the kernel log)',
        'another call to the module failed ("SEAMCALL TDH_VP_…" in the kernel log)',
        'the caller is not the process that created the VM',
      ],
      next: 'look up the SEAMCALL line: `dmesg | tdctl explain -`',
    },
  },
};

export const getCpuidFacts: RequestFacts = {
  request: 'KVM_TDX_GET_CPUID',
  on: 'a vCPU',
  checks: [
    ...vcpuCommandChecks,
    { step: 6, errno: 'EINTR', when: 'a fatal signal came while waiting for the vCPU' },
    { step: 7, errno: 'EINVAL', when: 'the TD was finalised or lost its key slot meanwhile' },
    { step: 7, errno: 'EFAULT', when: 'the command is unreadable the second time' },
    { step: 8, errno: 'ENOMEM', when: 'no memory for the answer' },
    { step: 9, errno: 'EFAULT', when: 'cpuid.nent is unreadable' },
    { step: 10, errno: 'EIO', when: 'leaf 0 or 80000000h of the TD cannot be read' },
    { step: 11, errno: 'EFAULT', when: 'cpuid.nent cannot be written' },
    {
      step: 12,
      errno: 'E2BIG',
      when: 'there are more leaves than cpuid.nent, which says how many',
    },
    { step: 13, errno: 'EFAULT', when: 'the entries cannot be written' },
  ],
  answers: {
    EINVAL: {
      id: 'get-cpuid.wrong-order',
      code: 'TDCTL_E_IOCTL',
      meaning: 'the CPUID of a TD can be read only between INIT_VM and FINALIZE_VM',
      next: 'read it before KVM_TDX_FINALIZE_VM',
    },
    E2BIG: {
      id: 'get-cpuid.buffer-too-small',
      code: 'TDCTL_E_IOCTL',
      meaning: 'the TD has more CPUID leaves than the VMM left room for; cpuid.nent says how many',
      next: 'nothing if the VMM asks again with that many; else report it to its makers',
    },
    EIO: {
      id: 'get-cpuid.unreadable',
      code: 'TDCTL_E_IOCTL',
      meaning: 'the module did not give the CPUID of the TD, or the VM is dead',
      next: 'look for "SEAMCALL" in the kernel log',
    },
  },
};
