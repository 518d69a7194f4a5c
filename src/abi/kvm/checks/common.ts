/** Rows that many requests have, with their place in the order: before, between or after their own. */
import {
  checksIn,
  EBADF,
  EFAULT,
  EINTR,
  EINVAL,
  EIO,
  ENODEV,
  ENOMEM,
  ENOTTY,
  refusing,
} from './check.ts';

const kvmMain = 'virt/kvm/kvm_main.c';

/** What a request finds that comes to no file of its kind. */
export const fileChecks = checksIn('fs/ioctl.c, ioctl()', {
  'file.closed': EBADF(
    'the descriptor is not open, or is none of KVM',
    'use a descriptor only between its making and its close',
  ),
  'file.not-kvm': ENOTTY(
    'the file is a guest_memfd or a file of statistics, which does not take this ioctl of KVM',
    'ask the VM or the vCPU',
  ),
  'file.no-kvm': ENODEV(
    'the node /dev/kvm is there, and kvm_intel is not loaded',
    'run `modprobe kvm_intel`, and look at the kernel log if that fails',
    { source: 'drivers/char/misc.c, misc_open()' },
  ),
});

/** Before any request on a VM or a vCPU. */
export const vmChecks = checksIn(`${kvmMain}, kvm_vm_ioctl() and kvm_vcpu_ioctl()`, {
  'vm.other-process': EIO(
    'the caller is not the process that created the VM',
    'ask in the process that called KVM_CREATE_VM: after fork(), or with a passed descriptor, KVM answers nobody else',
  ),
  'vm.dead': EIO(
    'the VM is dead: a call to the TDX module failed earlier, or its TD was moved away',
    'look for "SEAMCALL" and "KVM_BUG_ON" in the kernel log, and close the VM',
  ),
});

/** Before any request on a vCPU but the TDX commands, which lock all vCPUs of the VM themselves. */
export const vcpuChecks = checksIn(`${kvmMain}, kvm_vcpu_ioctl()`, {
  ...vmChecks,
  'vcpu.busy': EINTR(
    'another thread is in KVM_RUN of the vCPU, and a fatal signal ended the wait for it',
    'kick the vCPU out of KVM_RUN before, and repeat the request',
  ),
});

/** A request that the kernel does not know. */
export const unknownChecks = checksIn(`${kvmMain}, kvm_dev_ioctl() and kvm_vcpu_ioctl()`, {
  'request.unknown': EINVAL(
    'this kernel has no such request on this file',
    'leave it out on this kernel, or ask the file that has it',
  ),
});

export const unknownOnVmChecks = checksIn('arch/x86/kvm/x86.c, kvm_arch_vm_ioctl()', {
  'request.unknown-on-vm': ENOTTY(
    'this kernel has no such request on a VM',
    'use a VMM and a kernel of the same line: for TDs upstream QEMU 10.1 with Linux 6.16, or later',
  ),
});

/** The argument, or the struct that it points to. */
export const argumentChecks = checksIn('copy_from_user() and copy_to_user() of each request', {
  'argument.unreadable': EFAULT(
    'what the pointer names cannot be read',
    'pass the address of a whole struct that the process may read',
  ),
  'argument.unwritable': EFAULT(
    'the answer cannot be written to where the pointer names',
    'pass the address of memory that the process may write',
  ),
  'argument.not-zero': EINVAL('the argument is not 0', 'pass 0', {
    source: `${kvmMain}, kvm_dev_ioctl() and kvm_vcpu_ioctl()`,
  }),
});

export const unreadable = { 'argument.unreadable': argumentChecks['argument.unreadable'] };
export const unwritable = { 'argument.unwritable': argumentChecks['argument.unwritable'] };

/** What any request may run out of. */
export const resourceChecks = checksIn('the allocations of each request', {
  'kernel.no-memory': ENOMEM(
    'the kernel has no memory for it',
    'free memory, or raise the limit of the memory cgroup',
  ),
  'process.no-descriptor': refusing(['EMFILE', 'ENFILE', 'ENOMEM'])(
    'the process has no descriptor left, or the system no file',
    'raise `ulimit -n` (LimitNOFILE= of a service), or fs.file-max for the system',
  ),
});

export const noMemory = { 'kernel.no-memory': resourceChecks['kernel.no-memory'] };
