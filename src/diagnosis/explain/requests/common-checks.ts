/** Rows that several requests begin with. Source: kernel-abi part 7.1, Linux 7.3. */
import type { Check } from './request.ts';

/** G1, before any request on a VM or vCPU. Step 0: it comes before the request's own steps. */
export const deadVm: Check = {
  step: 0,
  errno: 'EIO',
  when: 'the caller is not the process that created the VM, or the VM is dead',
};

/** Steps 1 to 5 of INIT_VM and FINALIZE_VM: the dispatch of KVM_MEMORY_ENCRYPT_OP on the VM. */
export const vmCommandChecks: readonly Check[] = [
  deadVm,
  { step: 1, errno: 'ENOTTY', when: 'the VM is no TD' },
  { step: 2, errno: 'EFAULT', when: 'the command is unreadable' },
  { step: 3, errno: 'EINVAL', when: 'hw_error of the command is not 0 on the way in' },
  { step: 4, errno: 'EBUSY', when: 'a vCPU is being created', unreachable: true },
  { step: 5, errno: 'EINTR', when: 'a fatal signal came while the vCPUs were locked' },
];

/** Steps 1 to 5 of the commands on a vCPU. */
export const vcpuCommandChecks: readonly Check[] = [
  deadVm,
  { step: 1, errno: 'EINVAL', when: 'the vCPU is no vCPU of a TD' },
  { step: 2, errno: 'EFAULT', when: 'the command is unreadable' },
  { step: 3, errno: 'EINVAL', when: 'hw_error of the command is not 0 on the way in' },
  { step: 4, errno: 'EBUSY', when: 'a vCPU is being created', unreachable: true },
  { step: 4, errno: 'EINTR', when: 'a fatal signal came while the vCPUs were locked' },
  {
    step: 5,
    errno: 'EINVAL',
    when: 'the TD has no key slot (INIT_VM has not been done), or it is finalised already',
  },
];
