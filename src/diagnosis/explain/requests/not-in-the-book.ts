/**
 * INTERIM: rows of requests that the book does not have yet. Where it has a request, these are not
 * looked at.
 */
import type { NumberedCheck } from './request.ts';

const deadVm: NumberedCheck = {
  step: 0,
  errno: 'EIO',
  when: 'the caller is not the process that created the VM, or the VM is dead',
};

export const interimChecks: Readonly<Record<string, readonly NumberedCheck[]>> = {
  KVM_CREATE_IRQCHIP: [
    deadVm,
    {
      step: 1,
      errno: 'EEXIST',
      when: 'the VM has an irqchip',
      name: 'create-irqchip.exists',
      remedy: 'create it once, or only split it',
    },
    {
      step: 2,
      errno: 'ENOTTY',
      when: 'the VM is a TD, or the kernel has no in-kernel I/O APIC',
      name: 'create-irqchip.td-needs-split',
      remedy: 'split the irqchip: -machine q35,kernel_irqchip=split',
    },
  ],
  KVM_SET_TSC_KHZ: [
    deadVm,
    { step: 1, errno: 'EINVAL', when: 'the frequency is above what the CPU can scale to' },
    { step: 2, errno: 'EINVAL', when: 'the VM has a vCPU, or it is asked on a vCPU of a TD' },
  ],
  KVM_CREATE_GUEST_MEMFD: [
    deadVm,
    { step: 1, errno: 'EINVAL', when: 'a flag that a TD does not have (INIT_SHARED)' },
    { step: 2, errno: 'EINVAL', when: 'the size is 0, negative or unaligned' },
    { step: 3, errno: 'ENOMEM', when: 'no memory' },
    { step: 3, errno: 'EMFILE', when: 'the process has no descriptor left' },
    { step: 3, errno: 'ENFILE', when: 'the system has no file left' },
  ],
  KVM_SET_USER_MEMORY_REGION2: [
    deadVm,
    { step: 1, errno: 'EINVAL', when: 'flags, size or alignment do not fit' },
    { step: 2, errno: 'EINVAL', when: 'read-only memory, or an address space but 0, on a TD' },
    { step: 3, errno: 'EEXIST', when: 'the guest addresses overlap another slot' },
    { step: 4, errno: 'EBADF', when: 'the guest_memfd is no open descriptor' },
    { step: 5, errno: 'EINVAL', when: 'the descriptor is no guest_memfd of this VM' },
    { step: 6, errno: 'EEXIST', when: 'the part of the guest_memfd belongs to another slot' },
    { step: 7, errno: 'EINVAL', when: 'a slot with a guest_memfd is changed instead of deleted' },
  ],
  KVM_SET_MEMORY_ATTRIBUTES: [
    deadVm,
    { step: 1, errno: 'EINVAL', when: 'flags is not 0, or an attribute but PRIVATE' },
    { step: 2, errno: 'EINVAL', when: 'the range is empty, wraps, or is unaligned' },
  ],
  KVM_SET_CPUID2: [
    deadVm,
    { step: 1, errno: 'E2BIG', when: 'there are more than 256 entries' },
    { step: 2, errno: 'EFAULT', when: 'the entries are unreadable' },
    {
      step: 3,
      errno: 'EINVAL',
      when: 'the entries do not fit the vCPU, or come after it has run',
    },
  ],
  KVM_PRE_FAULT_MEMORY: [
    deadVm,
    { step: 1, errno: 'EINVAL', when: 'flags is not 0, or the range is empty or unaligned' },
    { step: 2, errno: 'EINTR', when: 'a signal waits' },
    { step: 3, errno: 'EOPNOTSUPP', when: 'the TD is not finalised' },
    { step: 4, errno: 'EINVAL', when: 'the address has the shared bit' },
  ],
  KVM_RUN: [
    deadVm,
    { step: 1, errno: 'EINTR', when: 'immediate_exit is set, or a signal waits' },
    { step: 2, errno: 'EINVAL', when: 'registers are to be synchronised, which a TD cannot' },
    { step: 3, errno: 'EAGAIN', when: 'the vCPU is none that starts by itself, and was woken' },
    { step: 4, errno: 'EINVAL', when: 'the vCPU is not initialised, or the TD is not finalised' },
    {
      step: 5,
      errno: 'EFAULT',
      when: 'the guest touched memory that the VMM must convert first',
    },
    { step: 5, errno: 'EHWPOISON', when: 'the guest touched a damaged page' },
    { step: 6, errno: 'EIO', when: 'the guest touched private memory it had not accepted' },
  ],
};
