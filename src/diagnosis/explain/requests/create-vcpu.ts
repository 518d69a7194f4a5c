/** KVM_CREATE_VCPU. Source: kernel-abi parts 2.7 and 7.1, Linux 7.3. */
import { deadVm } from './common-checks.ts';
import type { RequestFacts } from './request.ts';

const idsFixed = 'max_vcpu_ids is fixed from then on';

export const createVcpuFacts: RequestFacts = {
  request: 'KVM_CREATE_VCPU',
  on: 'the VM',
  checks: [
    deadVm,
    { step: 1, errno: 'EINVAL', when: 'the id is not below KVM_MAX_VCPU_IDS' },
    { step: 2, errno: 'EINVAL', when: 'the VM has as many vCPUs as KVM_CAP_MAX_VCPUS says' },
    { step: 3, errno: 'EEXIST', when: 'the VM has a vCPU with this id' },
    {
      step: 4,
      errno: 'EINVAL',
      when: 'the id is not below what KVM_CAP_MAX_VCPU_ID was set to',
      leaves: idsFixed,
    },
    { step: 5, errno: 'ENOMEM', when: 'no memory for the vCPU', leaves: idsFixed },
    {
      step: 6,
      errno: 'EIO',
      when: 'the TD is not initialised yet, or is finalised already',
      leaves: idsFixed,
    },
    { step: 7, errno: 'EINVAL', when: 'the irqchip is not split', leaves: idsFixed },
    { step: 8, errno: 'ENOMEM', when: 'no memory for the vCPU', leaves: idsFixed },
    { step: 8, errno: 'EMFILE', when: 'the process has no descriptor left', leaves: idsFixed },
    { step: 8, errno: 'ENFILE', when: 'the system has no file left', leaves: idsFixed },
  ],
  answers: {
    EINVAL: {
      id: 'create-vcpu.limit',
      code: 'TDCTL_E_VCPU_LIMIT',
      meaning: 'the VM has as many vCPUs as it may have, or the vCPU id is above its limit',
      causes: [
        'KVM gives a TD no more vCPUs than the host has CPUs: KVM_CAP_MAX_VCPUS on the VM says how many',
        'the id is not below KVM_CAP_MAX_VCPU_ID of the VM',
        'the irqchip of the VM is not split: KVM_CAP_SPLIT_IRQCHIP must come first',
      ],
      next: 'ask for fewer vCPUs; `tdctl host` shows the limits',
    },
    EIO: {
      id: 'create-vcpu.wrong-order',
      code: 'TDCTL_E_IOCTL',
      meaning: 'vCPUs of a TD can be made only between INIT_VM and FINALIZE_VM',
      causes: [
        'a vCPU was to be plugged into a running TD: no kernel allows it',
        'the VMM creates vCPUs before KVM_TDX_INIT_VM',
        'the VM is dead, or belongs to another process',
      ],
      next: 'create all vCPUs before finalising, and take spare ones offline inside the guest',
    },
    EEXIST: {
      id: 'create-vcpu.id-taken',
      code: 'TDCTL_E_IOCTL',
      meaning: 'the VM has a vCPU with this id',
      next: 'give each vCPU an id of its own',
    },
  },
};
