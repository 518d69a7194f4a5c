/** What a refusal of KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM means. Source: kernel-abi 4.1 to 4.3. */
import type { StepError } from '../../../machines/td-lifecycle/index.ts';
import type { ErrnoName } from '../../abi/kvm/errno.ts';
import type { KvmError } from '../../host/kvm-error.ts';

const meanings: Readonly<Partial<Record<ErrnoName, string>>> = {
  EINVAL:
    'the two VMs do not go together (states, memory slots, a vCPU without x2APIC in its CPUID), or this kernel moves no TDs',
  EBADF: "the source VM's fd is not open any more",
  EBUSY: "the misc cgroup of the destination's process allows no further TD",
  EINTR: 'a vCPU was still inside KVM_RUN, or the wait for a lock was interrupted',
  ENOMEM: 'the kernel had no memory for the move',
  EIO: 'the destination VM is dead, or a vCPU of the source has no partner in it',
  ENOTTY: 'the destination is no TD',
};

export function moveRefused(step: string, { code: errno, request }: KvmError): StepError {
  const meaning = meanings[errno as ErrnoName] ?? 'the kernel refused it';
  return {
    step,
    code: 'TDCTL_E_IOCTL',
    message: `KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM answered ${errno}: ${meaning}`,
    hint: 'docs/migration.md says what each kernel looks at, in which order, and what is lost then',
    request,
    errno,
  };
}
